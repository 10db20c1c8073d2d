// SPDX-License-Identifier: GPL-2.0
/*
 * What tests do to the device that no host can: break it, and look inside. A
 * line in; lines out, of which the last is "ok" or begins with "error:".
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

struct verb {
	const char *name, *arguments, *help;
	/* Returns what is wrong, or NULL. */
	const char *(*run)(struct t2 *t, char *arguments, FILE *out);
};

static const struct verb verbs[];

static const char *show_help(struct t2 *t, char *arguments, FILE *out)
{
	(void)t, (void)arguments;
	for (const struct verb *v = verbs; v->name; v++)
		fprintf(out, "%s%s%s: %s\n", v->name, *v->arguments ? " " : "", v->arguments, v->help);
	return NULL;
}

static const char *show_status(struct t2 *t, char *arguments, FILE *out)
{
	static const char *const states[] = { "idle", "running", "faulted", "full", "broken" };
	const struct engine *e = &t->engine;

	(void)arguments;
	fprintf(out, "hdm %#" PRIx64 " %#" PRIx64 " %s\n", t->hdm_base, t->hdm_size,
		component_decodes(t) ? "committed" : "open");
	fprintf(out, "bus_master %d\nmsix %d\n", config_bus_master(t), config_msix_enabled(t));
	fprintf(out, "engine %s%s\n", e->enabled ? "enabled" : "disabled", e->stuck ? " stuck" : "");
	fprintf(out, "link %s\n", t->link_down ? "down" : "up");
	fprintf(out, "error %#x %#" PRIx64 "\n", e->error, e->error_address);
	fprintf(out, "local %" PRIu64 "\nremote %" PRIu64 "\ntime %" PRIu64 "\n",
		e->local_bytes, e->remote_bytes, e->model_time);
	for (unsigned int i = 0; i < T2_QUEUES; i++)
		fprintf(out, "queue %u %s %s fetched %u done %u\n", i,
			e->queues[i].enabled ? "enabled" : "disabled", states[queue_state(t, i)],
			e->queues[i].fetched, e->queues[i].done);
	return NULL;
}

static const char *poison(struct t2 *t, char *arguments, FILE *out)
{
	uint64_t start, size;

	(void)out;
	if (sscanf(arguments, "%" SCNi64 " %" SCNi64, (int64_t *)&start, (int64_t *)&size) != 2)
		return "poison needs an address and a size";
	return memory_poison(t, start, size) ? "that is not in the HDM, or there is too much poison" : NULL;
}

static const char *unpoison(struct t2 *t, char *arguments, FILE *out)
{
	(void)arguments, (void)out;
	memory_unpoison(t);
	return NULL;
}

static const char *inject_error(struct t2 *t, char *arguments, FILE *out)
{
	char *where = arguments + strcspn(arguments, " ");
	bool memory = !*where;
	bool correctable, fatal;

	(void)out;
	if (!memory)
		*where++ = '\0';
	correctable = !strcmp(arguments, "correctable");
	fatal = !strcmp(arguments, "fatal");
	if ((!correctable && !fatal && strcmp(arguments, "nonfatal")) ||
	    (!memory && strcmp(where, "io")))
		return "error needs one of: correctable nonfatal fatal, and maybe: io";
	if (memory)
		component_error(t, correctable);
	config_error(t, correctable, fatal);
	return NULL;
}

static const char *link_state(struct t2 *t, char *arguments, FILE *out)
{
	(void)out;
	if (!strcmp(arguments, "down")) {
		t->link_down = true;
	} else if (!strcmp(arguments, "up")) {
		if (t->link_down)
			t2_reset(t);
		t->link_down = false;
	} else {
		return "link needs one of: down up";
	}
	return NULL;
}

static const char *stick(struct t2 *t, char *arguments, FILE *out)
{
	(void)arguments, (void)out;
	t->engine.stuck = true;
	return NULL;
}

static const char *unstick(struct t2 *t, char *arguments, FILE *out)
{
	(void)arguments, (void)out;
	t->engine.stuck = false;
	return NULL;
}

static const char *pull(struct t2 *t, char *arguments, FILE *out)
{
	(void)arguments, (void)out;
	protocol_close(t);
	memory_unmap_all(t);
	t->link_down = true;
	return NULL;
}

static const char *show_log(struct t2 *t, char *arguments, FILE *out)
{
	struct access_log *log = &t->log;

	if (!strcmp(arguments, "skip"))
		log->shown = log->count;
	else if (*arguments)
		return "log needs nothing, or: skip";
	if (log->count - log->shown > LOG_RECORDS) {
		log->shown = log->count - LOG_RECORDS;
		fprintf(out, "lost up to %" PRIu64 "\n", log->shown);
	}
	for (; log->shown < log->count; log->shown++) {
		const struct log_record *r = &log->records[log->shown % LOG_RECORDS];

		fprintf(out, "%" PRIu64 " %s %u %#x %#" PRIx64 " %#" PRIx64 " %u\n", log->shown,
			r->what, r->queue, r->pasid, r->address, r->physical, r->length);
	}
	return NULL;
}

static const char *show_counters(struct t2 *t, char *arguments, FILE *out)
{
	(void)arguments;
	for (unsigned int i = 0; i < COUNTERS; i++) {
		const struct counter *c = &t->engine.counters[i];

		if (c->local || c->remote)
			fprintf(out, "%#x %#" PRIx64 " %u %u\n", c->pasid,
				c->unit << t->engine.hot_shift, c->local, c->remote);
	}
	return NULL;
}

static const struct verb verbs[] = {
	{ "help", "", "this", show_help },
	{ "status", "", "what state the device is in", show_status },
	{ "poison", "ADDRESS SIZE", "the engine's accesses to this part of the HDM fail", poison },
	{ "unpoison", "", "no poison any more", unpoison },
	{ "error", "correctable|nonfatal|fatal [io]",
	  "a memory error in the RAS and AER registers, or only the latter (QEMU's pcie_aer_inject_error sends the message)",
	  inject_error },
	{ "link", "down|up", "reads give ones, writes are lost; up: reset", link_state },
	{ "stick", "", "the engine does nothing any more until the next function reset", stick },
	{ "unstick", "", "it goes on", unstick },
	{ "pull", "", "out of its slot, for good", pull },
	{ "log", "[skip]", "NUMBER WHAT QUEUE PASID ADDRESS PHYSICAL LENGTH, since the last time; or none of that", show_log },
	{ "counters", "", "PASID ADDRESS LOCAL REMOTE accesses of each unit", show_counters },
	{ }
};

char *control(struct t2 *t, const char *line)
{
	const char *problem = "no such command; try: help";
	char *reply = NULL, *copy, *arguments;
	size_t size;
	FILE *out;

	out = open_memstream(&reply, &size);
	copy = strdup(line);
	if (!out || !copy) {
		if (out)
			fclose(out);
		free(reply);
		free(copy);
		return NULL;
	}
	copy[strcspn(copy, "\r")] = '\0';
	arguments = copy + strcspn(copy, " ");
	if (*arguments)
		*arguments++ = '\0';
	for (const struct verb *v = verbs; v->name; v++)
		if (!strcmp(copy, v->name))
			problem = v->run(t, arguments, out);
	if (problem)
		fprintf(out, "error: %s\n", problem);
	else
		fprintf(out, "ok\n");
	free(copy);
	if (fclose(out)) {
		free(reply);
		return NULL;
	}
	return reply;
}
