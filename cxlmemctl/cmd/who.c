// SPDX-License-Identifier: GPL-2.0
/* cxlmemctl who: the processes that have memory on a device. */
#include <inttypes.h>

#include <libsmartcols/libsmartcols.h>

#include "tool.h"

static int add_line(struct listing *listing, const struct cxlmem_owner *owner)
{
	char pid[16], user[256], amount[32];
	const char *const words[] = {
		pid, user, amount, owner->command[0] ? owner->command : "-",
	};

	snprintf(pid, sizeof(pid), "%d", (int)owner->pid);
	listing_user(owner->uid, user, sizeof(user));
	listing_amount(listing, owner->bytes, amount, sizeof(amount));
	return listing_line(listing, words, ARRAY_SIZE(words));
}

static int on_owner(const struct cxlmem_owner *owner, void *data)
{
	struct listing *listing = data;
	struct json_object *o;

	if (listing->table)
		return add_line(listing, owner);
	o = json_object_new_object();
	json_object_object_add(o, "pid", json_object_new_int64(owner->pid));
	json_object_object_add(o, "uid", json_object_new_int64(owner->uid));
	json_object_object_add(o, "command", json_text(owner->command));
	json_object_object_add(o, "bytes", json_object_new_uint64(owner->bytes));
	json_object_array_add(listing->array, o);
	return 0;
}

static void print_as_json(struct listing *listing, struct cxlmem_device *dev, int64_t sum)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "schema", json_object_new_int(JSON_SCHEMA));
	json_object_object_add(o, "processes", json_object_get(listing->array));
	json_object_object_add(o, "sum", json_object_new_int64(sum));
	json_object_object_add(o, "device", json_device(dev));
	print_json(o);
}

/* What is in use and in no process's page tables. */
static void tell_rest(struct cxlmem_device *dev, int64_t sum)
{
	int64_t claimed = cxlmem_device_get_claimed(dev);
	int64_t used = cxlmem_device_get_used(dev) - claimed;
	char text[2][16];

	if (claimed)
		fprintf(stderr, "%s of %s are claimed; \"cxlmemctl claim %s\" tells who has them\n",
			cxlmem_format_size(claimed, text[0], sizeof(text[0])),
			cxlmem_device_get_name(dev), cxlmem_device_get_name(dev));
	if (used > sum)
		fprintf(stderr, "%s of the %s in use on %s %s\n",
			cxlmem_format_size(used - sum, text[0], sizeof(text[0])),
			cxlmem_format_size(used, text[1], sizeof(text[1])),
			cxlmem_device_get_name(dev),
			cxlmem_device_get_capacity(dev) ?
			"are mapped by no process just now: held by I/O, or just being freed" :
			"are mapped by no process: files, or the kernel's own");
}

int cmd_who(struct tool *t, int argc, char **argv)
{
	static const struct listing_column columns[] = {
		{ "PID", true }, { "USER", false }, { "SIZE", true }, { "COMMAND", false },
	};
	struct listing listing = {};
	struct cxlmem_device *dev;
	int64_t sum;

	(void)argc;
	if (cxlmem_device_find(t->ctx, argv[0], &dev))
		return library_failed(t);
	sum = listing_start(&listing, t, columns, ARRAY_SIZE(columns));
	if (!sum)
		sum = cxlmem_device_who(dev, on_owner, &listing);
	if (sum >= 0 && !cxlmem_device_refresh(dev)) {
		if (t->json)
			print_as_json(&listing, dev, sum);
		else
			scols_print_table(listing.table);
		if (!t->json)
			tell_rest(dev, sum);
	}
	listing_end(&listing);
	if (sum == -ENOMEM)
		return failed(t, "%s", strerror(ENOMEM));
	return sum < 0 ? library_failed(t) : EXIT_DONE;
}
