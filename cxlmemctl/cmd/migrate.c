// SPDX-License-Identifier: GPL-2.0
/*
 * cxlmemctl migrate: the memory of a running process, to the device or off it; or
 * a program that is started, whose memory is kept there as it grows.
 */
#include <dirent.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool.h"

#define DEFAULT_INTERVAL 1.0
#define MAX_PROCESSES 4096

struct migration {
	struct tool *tool;
	struct cxlmem_device *dev;
	bool out;
	struct cxlmem_move sum;		/* over all passes and processes */
	int error;			/* the last one, and what it was about */
	char reason[512];
};

static void add(struct cxlmem_counts *sum, const struct cxlmem_counts *part)
{
	sum->moved += part->moved;
	sum->busy += part->busy;
	sum->no_room += part->no_room;
	sum->split += part->split;
	sum->evicted += part->evicted;
}

/* One process, once. 0 or -errno, of which the reason is kept. */
static int move_one(struct migration *m, pid_t pid, const struct cxlmem_options *options)
{
	struct cxlmem_move move = { .size = sizeof(move) };
	int rc = cxlmem_device_move_process(m->dev, pid, m->out, options, &move);

	add(&m->sum.counts, &move.counts);
	m->sum.counts.already = move.counts.already;
	m->sum.counts.file = move.counts.file;
	if (rc) {
		m->error = rc;
		snprintf(m->reason, sizeof(m->reason), "%s", cxlmem_error(m->tool->ctx));
	}
	return rc;
}

static uint64_t bytes(uint64_t pages)
{
	return pages * sysconf(_SC_PAGESIZE);
}

static int print_result(struct migration *m, int rc)
{
	const struct cxlmem_counts *c = &m->sum.counts;
	struct tool *t = m->tool;
	struct json_object *o;
	char text[2][16];
	bool partly = rc && c->moved;

	if (!t->json) {
		if (rc)
			failed(t, "%s", m->reason);
		if (!rc || partly)
			printf("%s moved %s %s, %s %s before\n",
			       cxlmem_format_size(bytes(c->moved), text[0], sizeof(text[0])),
			       m->out ? "off" : "to", cxlmem_device_get_name(m->dev),
			       cxlmem_format_size(bytes(c->already), text[1], sizeof(text[1])),
			       m->out ? "were not there" : "were there");
		if (c->busy)
			fprintf(stderr, "%s were in use by I/O or locked, and stay where they are\n",
				cxlmem_format_size(bytes(c->busy), text[0], sizeof(text[0])));
	} else {
		o = json_object_new_object();
		json_object_object_add(o, "schema", json_object_new_int(JSON_SCHEMA));
		json_object_object_add(o, "command", json_text(t->command->name));
		json_object_object_add(o, "result", json_text(partly ? "partly" : rc ? "failed" : "done"));
		json_object_object_add(o, "error", rc ? json_text(m->reason) : NULL);
		json_object_object_add(o, "moved", json_object_new_uint64(bytes(c->moved)));
		json_object_object_add(o, "already", json_object_new_uint64(bytes(c->already)));
		json_object_object_add(o, "busy", json_object_new_uint64(bytes(c->busy)));
		json_object_object_add(o, "file", json_object_new_uint64(bytes(c->file)));
		json_object_object_add(o, "evicted", json_object_new_uint64(bytes(c->evicted)));
		json_object_object_add(o, "device", json_device(m->dev));
		print_json(o);
	}
	return !rc ? EXIT_DONE : partly ? EXIT_PARTLY : EXIT_FAILED;
}

static int migrate_process(struct migration *m)
{
	const char *text = m->tool->value[OPT_PID];
	struct operation op;
	char *end;
	long pid;
	int rc;

	errno = 0;
	pid = strtol(text, &end, 10);
	if (errno || *end || *text < '0' || *text > '9' || pid < 1 || pid > INT32_MAX)
		return wrong_usage(m->tool, "'%s' is not the number of a process", text);
	if (pid == getpid())
		return wrong_usage(m->tool, "%ld is this program itself", pid);
	rc = operation_begin_unprivileged(&op, m->tool);
	if (rc)
		return rc;
	rc = move_one(m, pid, &op.options);
	operation_drop(&op);
	cxlmem_device_refresh(m->dev);
	return print_result(m, rc);
}

/* --- a program that is started */

struct processes {
	size_t nr;
	pid_t pids[MAX_PROCESSES];
};

struct kin {
	pid_t pid;
	pid_t parent;
};

/* A number that a line of a process's status has, such as "PPid: %lu"; 0 if it is gone. */
static unsigned long of_status(pid_t pid, const char *format)
{
	char path[64], line[256];
	unsigned long number = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file) && sscanf(line, format, &number) != 1)
		;
	fclose(file);
	return number;
}

struct kinship {
	size_t nr;
	size_t room;
	struct kin *all;
};

static bool add_kin(struct kinship *kinship, pid_t pid)
{
	struct kin *more;

	if (kinship->nr == kinship->room) {
		kinship->room = kinship->room ? 2 * kinship->room : 256;
		more = reallocarray(kinship->all, kinship->room, sizeof(*more));
		if (!more)
			return false;
		kinship->all = more;
	}
	kinship->all[kinship->nr++] = (struct kin){ pid, of_status(pid, "PPid: %lu") };
	return true;
}

/* Of all processes that there are, as far as memory is to be had. */
static void read_kinship(struct kinship *kinship)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	pid_t pid;

	if (!proc)
		return;
	while ((entry = readdir(proc))) {
		pid = strtol(entry->d_name, NULL, 10);
		if (pid > 0 && !add_kin(kinship, pid))
			break;
	}
	closedir(proc);
}

/*
 * All that has been started: orphans are ours, too. The kernel's lists of children
 * are no use, since there is one for each thread, and none in some kernels.
 */
static void find_processes(struct processes *all)
{
	struct kinship kinship = { .nr = 0 };
	pid_t parent = getpid();
	size_t i = 0, k;

	read_kinship(&kinship);
	all->nr = 0;
	for (;;) {
		for (k = 0; k < kinship.nr && all->nr < MAX_PROCESSES; k++)
			if (kinship.all[k].parent == parent)
				all->pids[all->nr++] = kinship.all[k].pid;
		if (i == all->nr)
			break;
		parent = all->pids[i++];
	}
	free(kinship.all);
}

/* What a process had when its memory was last moved. */
struct seen {
	pid_t pid;
	uint64_t size;			/* KiB of its own, wherever they are */
};

/* Only who has got more memory is looked through again, all of its pages. */
static bool has_grown(struct seen *seen, pid_t pid)
{
	struct seen *of = &seen[(unsigned int)pid % MAX_PROCESSES];
	uint64_t size = of_status(pid, "RssAnon: %lu kB"), before = of->pid == pid ? of->size : 0;

	*of = (struct seen){ .pid = pid, .size = size };
	return size > before;
}

static void one_pass(struct migration *m, struct processes *all, struct seen *seen)
{
	size_t i;
	int rc;

	find_processes(all);
	for (i = 0; i < all->nr; i++) {
		if (!has_grown(seen, all->pids[i]))
			continue;
		rc = move_one(m, all->pids[i], NULL);
		/* Who has ended meanwhile needs nothing any more. */
		if (rc == -ESRCH && m->error == rc)
			m->error = 0;
	}
}

/* Reaps what has ended; true if the program has. */
static bool reap(pid_t program, int *status)
{
	bool ended = false;
	int status_of_one;
	pid_t pid;

	while ((pid = waitpid(-1, &status_of_one, WNOHANG)) > 0) {
		if (pid != program)
			continue;
		*status = status_of_one;
		ended = true;
	}
	return ended;
}

/*
 * Waits for so long, or for the program's end; true for that. All signals that
 * matter are blocked, so none can slip by between looking and waiting. What asks
 * us to end is for the program; when that ends, we do.
 */
static bool has_ended(pid_t program, double seconds, int *status)
{
	static const int signals[] = { SIGCHLD, SIGTERM, SIGHUP };
	uint64_t end = now_ms() + seconds * 1000, now;
	sigset_t set;
	size_t i;
	int signal;

	sigemptyset(&set);
	for (i = 0; i < ARRAY_SIZE(signals); i++)
		sigaddset(&set, signals[i]);
	while (!reap(program, status)) {
		struct timespec left;

		now = now_ms();
		if (now >= end)
			return false;
		left.tv_sec = (end - now) / 1000;
		left.tv_nsec = (end - now) % 1000 * 1000000;
		signal = sigtimedwait(&set, NULL, &left);
		if (signal == SIGTERM || signal == SIGHUP)
			kill(program, signal);
	}
	return true;
}

static int keep_there(struct migration *m, pid_t program, double interval)
{
	struct processes *all = calloc(1, sizeof(*all));
	struct seen *seen = calloc(MAX_PROCESSES, sizeof(*seen));
	char told[sizeof(m->reason)] = "";
	int status = 0;

	while (!has_ended(program, interval, &status)) {
		if (!all || !seen)
			continue;
		m->error = 0;
		one_pass(m, all, seen);
		if (m->error && strcmp(told, m->reason)) {
			snprintf(told, sizeof(told), "%s", m->reason);
			fprintf(stderr, "cxlmemctl migrate: warning: %s\n", told);
		}
	}
	free(all);
	free(seen);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* In the child process; does not return. */
static void become(struct tool *t, char **argv, const sigset_t *mask)
{
	int err;

	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(argv[0], argv);
	err = errno;
	failed(t, "cannot run %s: %s", argv[0], strerror(err));
	_exit(err == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_RUN);
}

static int migrate_program(struct migration *m, char **argv)
{
	const char *text = m->tool->value[OPT_INTERVAL];
	double interval = DEFAULT_INTERVAL;
	sigset_t all, mask;
	char moved[16];
	pid_t pid;
	char *end;
	int rc;

	if (text) {
		interval = strtod(text, &end);
		if (*end || end == text || !(interval >= 0.01 && interval <= 3600))
			return wrong_usage(m->tool, "'%s' is not a number of seconds from 0.01 to 3600",
					   text);
	}
	if (m->tool->sysroot)
		return failed(m->tool, "no program is started with --sysroot");
	/* That the program may not use the device is better said before than by it. */
	rc = cxlmem_device_open(m->dev);
	if (rc < 0)
		return library_failed(m->tool);
	close(rc);

	/* What the terminal sends goes to the program, too; we end when that does. */
	sigfillset(&all);
	/* Ctrl-Z stops both. */
	sigdelset(&all, SIGTSTP);
	sigprocmask(SIG_BLOCK, &all, &mask);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return failed(m->tool, "cannot start a process: %s", strerror(errno));
	if (!pid)
		become(m->tool, argv, &mask);
	rc = keep_there(m, pid, interval);
	if (m->tool->verbose)
		fprintf(stderr, "%s moved to %s in all\n",
			cxlmem_format_size(bytes(m->sum.counts.moved), moved, sizeof(moved)),
			cxlmem_device_get_name(m->dev));
	return rc;
}

int cmd_migrate(struct tool *t, int argc, char **argv)
{
	struct migration m = { .tool = t, .out = t->value[OPT_OUT] };

	if (cxlmem_device_find(t->ctx, argv[0], &m.dev))
		return library_failed(t);
	argv++;
	argc--;
	if (argc && !strcmp(argv[0], "--")) {
		argv++;
		argc--;
	}
	if (t->value[OPT_PID] && argc)
		return wrong_usage(t, "a program, or --pid, but not both");
	if (!t->value[OPT_PID] && !argc)
		return wrong_usage(t, "which program, or which --pid?");
	if (!t->value[OPT_PID] && m.out)
		return wrong_usage(t, "--out is for --pid");
	if (t->value[OPT_PID] && t->value[OPT_INTERVAL])
		return wrong_usage(t, "--interval is for a program that is started");
	if (strcmp(cxlmem_device_get_mode(m.dev), "driver"))
		return failed(t, "%s is in mode %s; \"cxlmemctl mode %s driver\" changes that",
			      cxlmem_device_get_name(m.dev), cxlmem_device_get_mode(m.dev),
			      cxlmem_device_get_name(m.dev));
	return t->value[OPT_PID] ? migrate_process(&m) : migrate_program(&m, argv);
}
