// SPDX-License-Identifier: GPL-2.0
/* Commands that change something: their options, signals, progress and result. */
#include <inttypes.h>
#include <signal.h>
#include <unistd.h>

#include "tool.h"

/* Progress is shown of what takes longer than this, and then this often. */
#define PATIENCE_MS	1000
#define LIVE_MS		100
#define LINE_MS		2000

static volatile sig_atomic_t stop;

static void on_signal(int signal)
{
	(void)signal;
	stop = 1;
}

/* Without SA_RESTART, so that waiting ends. */
static void listen_to_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = on_signal };
	struct sigaction old;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(signals); i++) {
		/* nohup(1) has its reasons. */
		sigaction(signals[i], NULL, &old);
		if (old.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
	}
}

static void clear_line(struct operation *op)
{
	if (op->live)
		fputs("\r\033[K", stderr);
	op->live = false;
}

static struct json_object *block_to_json(const struct cxlmem_event *event)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "block", json_object_new_uint64(event->block));
	json_object_object_add(o, "start", json_object_new_uint64(event->start));
	json_object_object_add(o, "size", json_object_new_uint64(event->size));
	json_object_object_add(o, "reason", json_text(event->reason));
	json_object_object_add(o, "pages", json_text(event->pages));
	json_object_object_add(o, "remedy", event->remedy ? json_text(event->remedy) : NULL);
	return o;
}

/* One line of JSON on stderr for each piece of news. */
static void json_event(const struct cxlmem_event *event, uint64_t per_second, const char *map)
{
	static const char *const names[] = {
		[CXLMEM_EVENT_STEP] = "step",
		[CXLMEM_EVENT_PROGRESS] = "progress",
		[CXLMEM_EVENT_WARNING] = "warning",
		[CXLMEM_EVENT_WAIT] = "wait",
		[CXLMEM_EVENT_BLOCK] = "block",
		[CXLMEM_EVENT_KERNEL] = "kernel",
	};
	struct json_object *o;

	if (event->type == CXLMEM_EVENT_BLOCK)
		o = block_to_json(event);
	else
		o = json_object_new_object();
	json_object_object_add(o, "event", json_text(names[event->type]));
	if (event->text)
		json_object_object_add(o, "text", json_text(event->text));
	if (event->type == CXLMEM_EVENT_PROGRESS) {
		json_object_object_add(o, "done", json_object_new_uint64(event->done));
		json_object_object_add(o, "total", json_object_new_uint64(event->total));
		json_object_object_add(o, "rate", json_object_new_uint64(per_second));
		if (*map)
			json_object_object_add(o, "map", json_text(map));
	}
	fprintf(stderr, "%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	json_object_put(o);
}

/* Bytes a second since this kind of work was begun; 0 if that cannot be told yet. */
static uint64_t measure_rate(struct operation *op, const struct cxlmem_event *event, uint64_t now)
{
	if (strcmp(op->doing, event->text)) {
		snprintf(op->doing, sizeof(op->doing), "%s", event->text);
		op->doing_ms = now;
	}
	return now > op->doing_ms ? event->done * 1000 / (now - op->doing_ms) : 0;
}

static void show_amounts(const struct cxlmem_event *event, uint64_t per_second)
{
	char done[16], total[16], rate[16], left[16];

	fprintf(stderr, ": %s of %s (%u%%)",
		cxlmem_format_size(event->done, done, sizeof(done)),
		cxlmem_format_size(event->total, total, sizeof(total)),
		(unsigned int)(event->done * 100 / event->total));
	if (per_second && event->done <= event->total)
		fprintf(stderr, ", %s/s, %s and %" PRIu64 " s left",
			cxlmem_format_size(per_second, rate, sizeof(rate)),
			cxlmem_format_size(event->total - event->done, left, sizeof(left)),
			(event->total - event->done) / per_second);
}

static void show_progress(struct operation *op, const struct cxlmem_event *event)
{
	bool terminal = isatty(STDERR_FILENO) && !op->tool->json;
	uint64_t now = now_ms(), elapsed = now - op->began_ms;
	uint64_t per_second = measure_rate(op, event, now);
	const char *map = "";

	if (elapsed < PATIENCE_MS || now - op->shown_ms < (terminal ? LIVE_MS : LINE_MS))
		return;
	op->shown_ms = now;
	if (op->dev && (terminal || op->tool->verbose)) {
		map_update(&op->map, op->dev);
		map = map_text(&op->map);
	}
	if (op->tool->json) {
		json_event(event, per_second, map);
		return;
	}
	clear_line(op);
	fprintf(stderr, "%s", event->text);
	if (event->total)
		show_amounts(event, per_second);
	else
		fprintf(stderr, " for %" PRIu64 " s", elapsed / 1000);
	if (*map)
		fprintf(stderr, " [%s]", map);
	if (!terminal)
		fputc('\n', stderr);
	op->live = terminal;
}

static void show(struct operation *op, const struct cxlmem_event *event)
{
	const char *command = op->tool->command->name;

	switch (event->type) {
	case CXLMEM_EVENT_STEP:
		/* What a dry run foretells is its result. */
		if (op->options.flags & CXLMEM_DRY_RUN)
			puts(event->text);
		else
			fprintf(stderr, "%s\n", event->text);
		break;
	case CXLMEM_EVENT_WARNING:
		fprintf(stderr, "cxlmemctl %s: warning: %s\n", command, event->text);
		break;
	case CXLMEM_EVENT_WAIT:
		fprintf(stderr, "cxlmemctl %s: %s, Ctrl-C to give up\n", command, event->text);
		break;
	case CXLMEM_EVENT_BLOCK:
		fprintf(stderr, "memory%" PRIu64 " [%#" PRIx64 "-%#" PRIx64 "]: %s\n", event->block,
			event->start, event->start + event->size - 1, event->reason);
		if (event->pages)
			fprintf(stderr, "  it holds: %s\n", event->pages);
		if (event->remedy)
			fprintf(stderr, "  what to do: %s\n", event->remedy);
		break;
	case CXLMEM_EVENT_KERNEL:
		fprintf(stderr, "kernel: %s\n", event->text);
		break;
	case CXLMEM_EVENT_PROGRESS:
		break;
	}
}

static int on_event(const struct cxlmem_event *event, void *data)
{
	struct operation *op = data;

	if (event->type == CXLMEM_EVENT_PROGRESS) {
		show_progress(op, event);
		return stop;
	}
	clear_line(op);
	if (event->type == CXLMEM_EVENT_BLOCK)
		json_object_array_add(op->blocks, block_to_json(event));
	if (op->tool->json)
		json_event(event, 0, "");
	else
		show(op, event);
	return stop;
}

/* A number that an option gives; true if it is one. */
static bool number(const char *text, unsigned long max, unsigned int *value)
{
	unsigned long result;
	char *end;

	errno = 0;
	result = strtoul(text, &end, 10);
	if (errno || *text < '0' || *text > '9' || *end || result > max)
		return false;
	*value = result;
	return true;
}

/* Those of moving data off. 0 or an exit code. */
static int read_pace(struct tool *t, struct cxlmem_options *options)
{
	const char *jobs = t->value[OPT_JOBS], *nice = t->value[OPT_NICE];
	const char *to = t->value[OPT_TO], *timeout = t->value[OPT_TIMEOUT];
	unsigned int value;

	if (jobs && (!number(jobs, 1024, &options->jobs) || !options->jobs))
		return wrong_usage(t, "'%s' is not a number of threads", jobs);
	if (nice && (cxlmem_parse_size(nice, &options->rate) || !options->rate))
		return wrong_usage(t, "'%s' is not an amount of memory (a second)", nice);
	if (to) {
		if (!number(to, 1023, &value))
			return wrong_usage(t, "'%s' is not a NUMA node; those are 0 to 1023", to);
		options->to = value;
	}
	if (timeout && !number(timeout, 1000000, &options->timeout))
		return wrong_usage(t, "'%s' is not a number of seconds", timeout);
	return 0;
}

static int read_options(struct tool *t, struct cxlmem_options *options)
{
	static const struct {
		int key;
		unsigned int flag;
	} flags[] = {
		{ OPT_FORCE,	CXLMEM_FORCE },
		{ OPT_DRY_RUN,	CXLMEM_DRY_RUN },
		{ OPT_PARTIAL,	CXLMEM_PARTIAL },
		{ OPT_NO_WAIT,	CXLMEM_NO_WAIT },
	};
	const char *zone = t->value[OPT_ZONE], *node = t->value[OPT_NODE];
	const char *memmap = t->value[OPT_MEMMAP], *lend = t->value[OPT_LEND];
	const char *policy = t->value[OPT_POLICY], *quota = t->value[OPT_QUOTA];
	unsigned int value;
	uint64_t bytes;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(flags); i++)
		if (t->value[flags[i].key])
			options->flags |= flags[i].flag;
	if (zone && strcmp(zone, "movable") && strcmp(zone, "kernel"))
		return wrong_usage(t, "there is no zone '%s'; there are: movable, kernel", zone);
	options->zone = zone;
	if (node) {
		if (!number(node, 1023, &value))
			return wrong_usage(t, "'%s' is not a NUMA node; those are 0 to 1023", node);
		options->node = value;
	}
	if (memmap) {
		if (strcmp(memmap, "on") && strcmp(memmap, "off"))
			return wrong_usage(t, "--memmap is on or off, not '%s'", memmap);
		options->memmap = !strcmp(memmap, "on");
	}
	if (policy && strcmp(policy, "deny") && strcmp(policy, "evict"))
		return wrong_usage(t, "there is no policy '%s'; there are: deny, evict", policy);
	options->policy = policy;
	if (quota) {
		if (cxlmem_parse_size(quota, &bytes) || bytes > INT64_MAX)
			return wrong_usage(t, "'%s' is not a size", quota);
		options->quota = bytes;
	}
	if (lend) {
		if (strcmp(lend, "on") && strcmp(lend, "off"))
			return wrong_usage(t, "--lend is on or off, not '%s'", lend);
		options->lend = !strcmp(lend, "on");
	}
	return read_pace(t, options);
}

int operation_begin_unprivileged(struct operation *op, struct tool *t)
{
	*op = (struct operation){
		.tool = t,
		.options = CXLMEM_OPTIONS_INIT,
		.began_ms = now_ms(),
	};
	op->options.event = on_event;
	op->options.data = op;
	if (read_options(t, &op->options))
		return EXIT_USAGE;
	op->blocks = json_object_new_array();
	listen_to_signals();
	return 0;
}

int operation_begin(struct operation *op, struct tool *t)
{
	/* A dry run only reads; and a tree of files for tests is not the machine. */
	if (geteuid() && !t->sysroot && !t->value[OPT_DRY_RUN])
		return failed(t, "must be root");
	return operation_begin_unprivileged(op, t);
}

/* ", 100M of 512M in use, policy deny, 64M for each user" */
static void print_limits(struct cxlmem_device *dev)
{
	int64_t used = cxlmem_device_get_used(dev), quota = cxlmem_device_get_quota(dev);
	char text[2][16];

	printf(", %s of %s in use, policy %s",
	       cxlmem_format_size(used > 0 ? used : 0, text[0], sizeof(text[0])),
	       cxlmem_format_size(cxlmem_device_get_capacity(dev), text[1], sizeof(text[1])),
	       cxlmem_device_get_policy(dev));
	if (quota > 0)
		printf(", %s for each user", cxlmem_format_size(quota, text[0], sizeof(text[0])));
	else
		printf(", no quota");
}

/* "cxlmem0: mode system, 1G on line on node 1 in zone movable" */
static void print_state(struct cxlmem_device *dev, bool already)
{
	const char *name = cxlmem_device_get_name(dev), *mode = cxlmem_device_get_mode(dev);
	uint64_t online = cxlmem_device_get_online(dev), offline = cxlmem_device_get_offline(dev);
	char text[16];

	printf("%s is %sin mode %s", name, already ? "already " : "", mode);
	if (online)
		printf(", %s on line on node %d in zone %s",
		       cxlmem_format_size(online, text, sizeof(text)),
		       cxlmem_device_get_node(dev), cxlmem_device_get_zone(dev));
	if (!strcmp(mode, "cma"))
		printf(", lend %s, %s claimed", cxlmem_device_get_lend(dev) ? "on" : "off",
		       cxlmem_format_size(cxlmem_device_get_claimed(dev), text, sizeof(text)));
	if (offline)
		printf(", %s off line", cxlmem_format_size(offline, text, sizeof(text)));
	if (cxlmem_device_get_capacity(dev))
		print_limits(dev);
	putchar('\n');
}

static void print_result(struct operation *op, int rc, struct cxlmem_device *dev)
{
	static const char *const names[] = {
		[CXLMEM_DONE] = "done",
		[CXLMEM_ALREADY] = "already",
		[CXLMEM_PARTLY] = "partly",
	};
	struct tool *t = op->tool;
	struct json_object *o;

	if (!t->json) {
		if (rc < 0 || rc == CXLMEM_PARTLY)
			library_failed(t);
		if (dev && rc >= 0 && !(op->options.flags & CXLMEM_DRY_RUN && rc == CXLMEM_DONE))
			print_state(dev, rc == CXLMEM_ALREADY);
		return;
	}
	o = json_object_new_object();
	json_object_object_add(o, "schema", json_object_new_int(JSON_SCHEMA));
	json_object_object_add(o, "command", json_text(t->command->name));
	json_object_object_add(o, "dry_run",
			       json_object_new_boolean(op->options.flags & CXLMEM_DRY_RUN));
	json_object_object_add(o, "result", json_text(rc < 0 ? "failed" : names[rc]));
	json_object_object_add(o, "error", rc < 0 || rc == CXLMEM_PARTLY ?
			       json_text(cxlmem_error(t->ctx)) : NULL);
	json_object_object_add(o, "failed_blocks", json_object_get(op->blocks));
	json_object_object_add(o, "device", dev ? json_device(dev) : NULL);
	print_json(o);
}

void operation_drop(struct operation *op)
{
	clear_line(op);
	json_object_put(op->blocks);
}

int operation_end(struct operation *op, int rc, struct cxlmem_device *dev)
{
	clear_line(op);
	print_result(op, rc, dev);
	operation_drop(op);
	if (rc < 0)
		return EXIT_FAILED;
	return rc == CXLMEM_PARTLY ? EXIT_PARTLY : EXIT_DONE;
}
