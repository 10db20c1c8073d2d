/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of cxlmemctl share. */
#ifndef CXLMEMCTL_TOOL_H
#define CXLMEMCTL_TOOL_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>

#include <json-c/json.h>

#include <cxlmem/libcxlmem.h>

struct libscols_table;

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Of all JSON that is printed; goes up when a member changes its meaning or goes away. */
#define JSON_SCHEMA 1

enum exit_code {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,		/* and nothing changed */
	EXIT_USAGE = 2,
	EXIT_PARTLY = 64,		/* a part was done, as chmem(8) has it */
	/* Of a program that is started, as env(1) and others have it. */
	EXIT_NOT_RUN = 126,
	EXIT_NOT_FOUND = 127,
};

/* Options are known by a key: their letter, or one of these if they have none. */
enum option_key {
	OPT_SYSROOT = 128,
	OPT_ZONE,
	OPT_NODE,
	OPT_MEMMAP,
	OPT_FORCE,
	OPT_DRY_RUN,
	OPT_PARTIAL,
	OPT_TIMEOUT,
	OPT_NO_WAIT,
	OPT_MODE,
	OPT_OUTPUT_ALL,
	OPT_PREFER,
	OPT_CONFIG,
	OPT_POLICY,
	OPT_QUOTA,
	OPT_LEND,
	OPT_PID,
	OPT_OUT,
	OPT_INTERVAL,
	OPT_ALIGN,
	OPT_TRY,
	OPT_WAIT,
	OPT_DETACH,
	OPT_ALL,
	OPT_JOBS,
	OPT_NICE,
	OPT_TO,
	OPT_KEYS,			/* how many there can be */
};

struct option_row {
	int key;
	const char *name;
	const char *arg;		/* name of its argument, or NULL */
	const char *help;
};

struct tool;

struct command {
	const char *name;
	int (*run)(struct tool *t, int argc, char **argv);	/* returns the exit code */
	const char *args;
	int min_args;
	int max_args;			/* -1: any number */
	const char *help;		/* one line */
	const char *more;		/* a paragraph */
	const char *examples;
	const struct option_row *options;	/* ends with an empty row */
	bool program;			/* its arguments are a command with options of its own */
};

struct tool {
	struct cxlmem_ctx *ctx;
	const struct command *command;	/* NULL before it is known */
	bool json;
	bool verbose;
	const char *sysroot;
	const char *value[OPT_KEYS];	/* of options: NULL if not given, "" if without argument */
};

/* ---- commands.c ---- */

extern const struct command commands[];	/* ends with an empty row */

/* Of a clock that nobody sets. */
static inline uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ull + now.tv_nsec / 1000000;
}

/* ---- complain.c ---- */

/* "cxlmemctl COMMAND: ..." to stderr; return the exit code. */
int failed(struct tool *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int wrong_usage(struct tool *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same for an error of the library's. */
int library_failed(struct tool *t);

/* ---- option.c ---- */

/* Parses options into t->value; the number of words taken, or -1 after telling what is wrong. */
int parse_options(struct tool *t, const struct option_row *rows, bool stop_at_word, int argc,
		  char **argv);
void print_help(void);
void print_command_help(const struct command *command);

extern const struct option_row global_options[];

/* ---- json.c ---- */

struct json_object *json_text(const char *text);	/* null for "" */
struct json_object *json_device(struct cxlmem_device *dev);
void print_json(struct json_object *object);		/* with a newline; drops it */

/* ---- operation.c: what all commands that change something have in common ---- */

/* Option rows that they share; each goes into a command's table where it makes sense. */
#define ROW_ZONE	{ OPT_ZONE, "zone", "ZONE", "movable (can be taken back) or kernel" }
#define ROW_NODE	{ OPT_NODE, "node", "N", "NUMA node of the memory" }
#define ROW_MEMMAP	{ OPT_MEMMAP, "memmap", "on|off", "memory map on the device itself, or on the host" }
#define ROW_FORCE(help)	{ OPT_FORCE, "force", NULL, help }
#define ROW_DRY_RUN	{ OPT_DRY_RUN, "dry-run", NULL, "tell what would happen, change nothing" }
#define ROW_PARTIAL	{ OPT_PARTIAL, "partial", NULL, "keep what could be done if not all can (exit code 64)" }
#define ROW_TIMEOUT	{ OPT_TIMEOUT, "timeout", "SEC", "give up after SEC seconds without progress (300; 0: never)" }
#define ROW_JOBS	{ OPT_JOBS, "jobs", "N", "threads that move memory off (one for each CPU)" }
#define ROW_NICE	{ OPT_NICE, "nice", "RATE", "move no more than RATE a second, such as 200M" }
#define ROW_TO		{ OPT_TO, "to", "N", "NUMA node to move it to (the nearest that is no device's)" }
#define ROW_NO_WAIT	{ OPT_NO_WAIT, "no-wait", NULL, "fail if another program works on the device" }

/* ---- map.c ---- */

/* More memory blocks than these are not drawn. */
#define MAX_MAP_BLOCKS 4096

struct block_map {
	size_t nr;
	size_t next;			/* to be looked at */
	struct {
		bool known;		/* has been looked at */
		bool online;
		unsigned char fill;	/* per cent */
	} blocks[MAX_MAP_BLOCKS];
};

/* Looks at some more of the blocks. */
void map_update(struct block_map *map, struct cxlmem_device *dev);
/* Valid until the next call. */
const char *map_text(const struct block_map *map);

struct operation {
	struct tool *tool;
	struct cxlmem_options options;
	struct json_object *blocks;	/* that failed */
	uint64_t began_ms;
	uint64_t shown_ms;		/* when progress was last shown */
	char doing[64];			/* what progress was about, */
	uint64_t doing_ms;		/* and since when */
	struct cxlmem_device *dev;	/* whose blocks are drawn, or NULL */
	struct block_map map;
	bool live;			/* a line of progress stands on the terminal */
};

/* Checks that we are root, reads the options, starts to listen to signals. 0 or an exit code. */
int operation_begin(struct operation *op, struct tool *t);
/* The same for what is not for root only. */
int operation_begin_unprivileged(struct operation *op, struct tool *t);
/* Prints how it went; @dev may be NULL. Returns the exit code. */
int operation_end(struct operation *op, int rc, struct cxlmem_device *dev);
/* Ends it without a word. */
void operation_drop(struct operation *op);

/* ---- lists that come line by line, see listing.c ---- */

/* Is a table, or with --json an array. */
struct listing {
	struct tool *tool;
	struct libscols_table *table;
	struct json_object *array;
};

struct listing_column {
	const char *name;
	bool right;			/* aligned */
};

/* By the options -n and -r. 0 or -ENOMEM; to be ended in both cases. */
int listing_start(struct listing *listing, struct tool *t, const struct listing_column *columns,
		  size_t nr);
/* A word for each column of the table; "" looks like "-". 0 or -ENOMEM. */
int listing_line(struct listing *listing, const char *const *words, size_t nr);
/* An amount, in bytes with -b. */
void listing_amount(const struct listing *listing, uint64_t bytes, char *text, size_t size);
/* A user's name, or the number if there is none. */
void listing_user(uid_t uid, char *text, size_t size);
void listing_end(struct listing *listing);

/* ---- the commands ---- */

int cmd_list(struct tool *t, int argc, char **argv);
int cmd_mode(struct tool *t, int argc, char **argv);
int cmd_online(struct tool *t, int argc, char **argv);
int cmd_offline(struct tool *t, int argc, char **argv);
int cmd_evacuate(struct tool *t, int argc, char **argv);
int cmd_bind(struct tool *t, int argc, char **argv);
int cmd_unbind(struct tool *t, int argc, char **argv);
int cmd_run(struct tool *t, int argc, char **argv);
int cmd_migrate(struct tool *t, int argc, char **argv);
int cmd_claim(struct tool *t, int argc, char **argv);
int cmd_release(struct tool *t, int argc, char **argv);
int cmd_who(struct tool *t, int argc, char **argv);
int cmd_doctor(struct tool *t, int argc, char **argv);
int cmd_auto(struct tool *t, int argc, char **argv);

#endif
