// SPDX-License-Identifier: GPL-2.0
/* cxlmemctl who: the processes that have memory on a device, and what else is there. */
#include <inttypes.h>

#include <libsmartcols/libsmartcols.h>

#include "tool.h"

static const struct listing_column process_columns[] = {
	{ "PID", true }, { "USER", false }, { "SIZE", true }, { "HUGE", true },
	{ "CGROUP", false }, { "COMMAND", false }, { "NOTE", false },
};

static int add_process(struct listing *listing, const struct cxlmem_owner *owner)
{
	char pid[16], user[256], amount[32], huge[32];
	const char *const words[] = {
		pid, user, amount, huge, owner->cgroup, owner->command, owner->note,
	};

	snprintf(pid, sizeof(pid), "%d", (int)owner->pid);
	listing_user(owner->uid, user, sizeof(user));
	listing_amount(listing, owner->bytes, amount, sizeof(amount));
	listing_amount(listing, owner->huge, huge, sizeof(huge));
	return listing_line(listing, words, ARRAY_SIZE(words));
}

static int on_owner(const struct cxlmem_owner *owner, void *data)
{
	struct listing *listing = data;
	struct json_object *o;

	if (listing->table)
		return add_process(listing, owner);
	o = json_object_new_object();
	json_object_object_add(o, "pid", json_object_new_int64(owner->pid));
	json_object_object_add(o, "uid", json_object_new_int64(owner->uid));
	json_object_object_add(o, "command", json_text(owner->command));
	json_object_object_add(o, "bytes", json_object_new_uint64(owner->bytes));
	json_object_object_add(o, "huge", json_object_new_uint64(owner->huge));
	json_object_object_add(o, "held", json_object_new_uint64(owner->held));
	json_object_object_add(o, "cgroup", json_text(owner->cgroup));
	json_object_object_add(o, "note", json_text(owner->note));
	json_object_array_add(listing->array, o);
	return 0;
}

static const struct listing_column content_columns[] = {
	{ "KIND", false }, { "SIZE", true }, { "MOVABLE", false }, { "NAME", false },
};

static int on_content(const struct cxlmem_content *content, void *data)
{
	struct listing *listing = data;
	struct json_object *o;
	char amount[32];
	const char *const words[] = {
		content->kind, amount, content->movable ? "yes" : "no", content->name,
	};

	listing_amount(listing, content->bytes, amount, sizeof(amount));
	if (listing->table)
		return listing_line(listing, words, ARRAY_SIZE(words));
	o = json_object_new_object();
	json_object_object_add(o, "kind", json_text(content->kind));
	json_object_object_add(o, "name", json_text(content->name));
	json_object_object_add(o, "bytes", json_object_new_uint64(content->bytes));
	json_object_object_add(o, "movable", json_object_new_boolean(content->movable));
	json_object_array_add(listing->array, o);
	return 0;
}

static void print_as_json(const struct listing *processes, const struct listing *contents,
			  struct cxlmem_device *dev, int64_t sum)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "schema", json_object_new_int(JSON_SCHEMA));
	json_object_object_add(o, "processes", json_object_get(processes->array));
	json_object_object_add(o, "sum", json_object_new_int64(sum));
	json_object_object_add(o, "contents", json_object_get(contents->array));
	json_object_object_add(o, "device", json_device(dev));
	print_json(o);
}

/* What the lists do not have: claims, and in mode "driver" what no process has mapped. */
static void tell_rest(struct cxlmem_device *dev, int64_t sum)
{
	int64_t used = cxlmem_device_get_used(dev), claimed = cxlmem_device_get_claimed(dev);
	char text[2][16];

	if (claimed)
		fprintf(stderr, "%s of %s are claimed; \"cxlmemctl claim %s\" tells who has them\n",
			cxlmem_format_size(claimed, text[0], sizeof(text[0])),
			cxlmem_device_get_name(dev), cxlmem_device_get_name(dev));
	if (cxlmem_device_get_capacity(dev) && used > sum)
		fprintf(stderr,
			"%s of the %s in use on %s are mapped by no process just now: held by I/O, or just being freed\n",
			cxlmem_format_size(used - sum, text[0], sizeof(text[0])),
			cxlmem_format_size(used, text[1], sizeof(text[1])),
			cxlmem_device_get_name(dev));
}

static void print_as_tables(const struct listing *processes, const struct listing *contents)
{
	scols_print_table(processes->table);
	if (scols_table_is_empty(contents->table))
		return;
	putchar('\n');
	scols_print_table(contents->table);
}

int cmd_who(struct tool *t, int argc, char **argv)
{
	struct listing processes = {}, contents = {};
	struct cxlmem_device *dev;
	int64_t sum, rest;

	(void)argc;
	if (cxlmem_device_find(t->ctx, argv[0], &dev))
		return library_failed(t);
	sum = listing_start(&processes, t, process_columns, ARRAY_SIZE(process_columns));
	if (!sum)
		sum = listing_start(&contents, t, content_columns, ARRAY_SIZE(content_columns));
	if (!sum)
		sum = cxlmem_device_who(dev, on_owner, &processes);
	rest = sum < 0 ? sum : cxlmem_device_contents(dev, on_content, &contents);
	if (rest >= 0 && !cxlmem_device_refresh(dev)) {
		if (t->json)
			print_as_json(&processes, &contents, dev, sum);
		else
			print_as_tables(&processes, &contents);
		if (!t->json)
			tell_rest(dev, sum);
	}
	listing_end(&processes);
	listing_end(&contents);
	if (rest == -ENOMEM)
		return failed(t, "%s", strerror(ENOMEM));
	return rest < 0 ? library_failed(t) : EXIT_DONE;
}
