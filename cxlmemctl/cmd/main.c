// SPDX-License-Identifier: GPL-2.0
/* cxlmemctl: from the command line to a command and back. The commands are in commands.c. */
#include <signal.h>

#include "tool.h"

static const struct command *find_command(const char *name)
{
	const struct command *command;

	for (command = commands; command->name; command++)
		if (!strcmp(command->name, name))
			return command;
	return NULL;
}

/* --help and --version do not need anything to work. */
static bool answered(struct tool *t)
{
	if (t->value['V'])
		puts("cxlmemctl " VERSION);
	else if (t->value['h'] && t->command)
		print_command_help(t->command);
	else if (t->value['h'])
		print_help();
	else
		return false;
	return true;
}

static int run_command(struct tool *t, int argc, char **argv)
{
	const struct command *command = t->command;
	int rc;

	if (argc < command->min_args)
		return wrong_usage(t, "something is missing: cxlmemctl %s %s", command->name,
				   command->args);
	if (command->max_args >= 0 && argc > command->max_args)
		return wrong_usage(t, "'%s' is too much: cxlmemctl %s %s", argv[command->max_args],
				   command->name, command->args);
	t->json = t->value['j'];
	t->verbose = t->value['v'];
	t->sysroot = t->value[OPT_SYSROOT];

	rc = cxlmem_new(&t->ctx);
	if (rc)
		return failed(t, "%s", strerror(-rc));
	if (t->sysroot && cxlmem_set_sysroot(t->ctx, t->sysroot))
		rc = library_failed(t);
	else
		rc = command->run(t, argc, argv);
	cxlmem_unref(t->ctx);
	return rc;
}

static int parse_and_run(struct tool *t, int argc, char **argv)
{
	int taken = parse_options(t, NULL, true, argc, argv);

	if (taken < 0)
		return EXIT_USAGE;
	argc -= taken;
	argv += taken;
	if (answered(t))
		return EXIT_DONE;
	if (!argc)
		return wrong_usage(t, "which command?");
	t->command = find_command(argv[0]);
	if (!t->command)
		return wrong_usage(t, "there is no command '%s'", argv[0]);

	taken = parse_options(t, t->command->options, t->command->program, argc, argv);
	if (taken < 0)
		return EXIT_USAGE;
	if (answered(t))
		return EXIT_DONE;
	return run_command(t, argc - taken, argv + taken);
}

int main(int argc, char **argv)
{
	struct tool t = { 0 };
	int rc;

	/* A reader that went away is noticed below, and must not kill us in mid-evacuation. */
	signal(SIGPIPE, SIG_IGN);
	rc = parse_and_run(&t, argc, argv);
	errno = 0;
	if (fflush(stdout) || ferror(stdout)) {
		if (errno != EPIPE)
			failed(&t, "cannot write the output: %s", strerror(errno));
		return rc ? rc : EXIT_FAILED;
	}
	return rc;
}
