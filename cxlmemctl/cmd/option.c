// SPDX-License-Identifier: GPL-2.0
/* Options and help, both from the tables of the commands. */
#include <ctype.h>
#include <getopt.h>

#include "tool.h"

const struct option_row global_options[] = {
	{ 'j', "json", NULL, "print JSON" },
	{ 'v', "verbose", NULL, "tell more" },
	{ OPT_SYSROOT, "sysroot", "DIR", "read sys, proc and etc below DIR (for tests)" },
	{ 'h', "help", NULL, "print this help" },
	{ 'V', "version", NULL, "print the version" },
	{ 0 },
};

#define MAX_OPTIONS 32

struct parser {
	struct option longs[MAX_OPTIONS];
	char shorts[3 * MAX_OPTIONS];
	size_t nr;
	size_t len;
};

static void add_rows(struct parser *p, const struct option_row *row)
{
	for (; row && row->name && p->nr < MAX_OPTIONS - 1; row++) {
		p->longs[p->nr++] = (struct option){
			.name = row->name,
			.has_arg = row->arg ? required_argument : no_argument,
			.val = row->key,
		};
		if (row->key < OPT_SYSROOT) {
			p->shorts[p->len++] = row->key;
			if (row->arg)
				p->shorts[p->len++] = ':';
		}
	}
}

int parse_options(struct tool *t, const struct option_row *rows, bool stop_at_word, int argc,
		  char **argv)
{
	struct parser p = { .len = 0 };
	int key;

	/* "+": options end at the first word; ":": we tell what is wrong ourselves. */
	if (stop_at_word)
		p.shorts[p.len++] = '+';
	p.shorts[p.len++] = ':';
	add_rows(&p, global_options);
	add_rows(&p, rows);

	/* 0 makes glibc start afresh. */
	optind = 0;
	while ((key = getopt_long(argc, argv, p.shorts, p.longs, NULL)) != -1) {
		const char *word = argv[optind - 1];

		if (key == '?') {
			/* One that there is comes here only as "--name=argument". */
			if (optopt >= OPT_SYSROOT ||
			    (isalpha(optopt) && strchr(p.shorts, optopt)))
				wrong_usage(t, "the option '%.*s' takes no argument",
					    (int)strcspn(word, "="), word);
			else if (optopt && isprint(optopt))
				wrong_usage(t, "there is no option '-%c'", optopt);
			else
				wrong_usage(t, "there is no option '%s'", word);
			return -1;
		}
		if (key == ':') {
			wrong_usage(t, "the option '%s' needs an argument", word);
			return -1;
		}
		t->value[key] = optarg ? optarg : "";
	}
	return optind;
}

static void print_options(const struct option_row *row)
{
	for (; row && row->name; row++) {
		char left[64];

		if (row->key < OPT_SYSROOT)
			snprintf(left, sizeof(left), "-%c, --%s%s%s", row->key, row->name,
				 row->arg ? " " : "", row->arg ? row->arg : "");
		else
			snprintf(left, sizeof(left), "    --%s%s%s", row->name,
				 row->arg ? " " : "", row->arg ? row->arg : "");
		printf("  %-24s %s\n", left, row->help);
	}
}

void print_help(void)
{
	const struct command *command;

	puts("cxlmemctl - put the memory of coherent accelerators to use, and take it back\n\n"
	     "usage: cxlmemctl [OPTIONS] COMMAND ...\n\n"
	     "commands:");
	for (command = commands; command->name; command++)
		printf("  %-10s %s\n", command->name, command->help);
	puts("\noptions (also after the command):");
	print_options(global_options);
	puts("\n\"cxlmemctl COMMAND --help\" tells more about a command. DEV is cxlmem0, its PCI\n"
	     "address (0d:00.0), serial:0x1234, or a dax device of the kernel's (dax0.0).\n"
	     "\n"
	     "exit codes: 0 done; 1 failed, nothing changed; 2 wrong usage; 64 partly done");
}

void print_command_help(const struct command *command)
{
	printf("cxlmemctl %s - %s\n\n", command->name, command->help);
	printf("usage: cxlmemctl %s [OPTIONS] %s\n\n%s\n", command->name, command->args,
	       command->more);
	if (command->options) {
		puts("\noptions:");
		print_options(command->options);
	}
	puts("\noptions of all commands:");
	print_options(global_options);
	printf("\nexamples:\n%s", command->examples);
}
