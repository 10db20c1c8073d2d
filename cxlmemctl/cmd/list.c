// SPDX-License-Identifier: GPL-2.0
/* cxlmemctl list: the devices as a table or as JSON. */
#include <inttypes.h>

#include <libsmartcols/libsmartcols.h>

#include "tool.h"

#define MAX_CELL 300

/* How a column's value is written; the cell is "-" if it is empty. */
struct cell {
	char text[MAX_CELL];
	bool bytes;			/* amounts as plain numbers */
};

static void put_text(struct cell *cell, const char *text)
{
	snprintf(cell->text, sizeof(cell->text), "%s", text);
}

static void put_number(struct cell *cell, int64_t value)
{
	if (value >= 0)
		snprintf(cell->text, sizeof(cell->text), "%" PRId64, value);
}

static void put_size(struct cell *cell, uint64_t value)
{
	if (cell->bytes)
		snprintf(cell->text, sizeof(cell->text), "%" PRIu64, value);
	else
		cxlmem_format_size(value, cell->text, sizeof(cell->text));
}

static void put_hex(struct cell *cell, uint64_t value)
{
	if (value)
		snprintf(cell->text, sizeof(cell->text), "%#" PRIx64, value);
}

static void put_unit(struct cell *cell, int64_t value, const char *unit)
{
	if (value >= 0)
		snprintf(cell->text, sizeof(cell->text), "%" PRId64 "%s", value, unit);
}

/* Each writes one column of a device. */

static void put_name(struct cell *cell, struct cxlmem_device *dev)
{
	put_text(cell, cxlmem_device_get_name(dev));
}

static void put_kind(struct cell *cell, struct cxlmem_device *dev)
{
	put_text(cell, cxlmem_device_get_kind(dev));
}

static void put_parent(struct cell *cell, struct cxlmem_device *dev)
{
	put_text(cell, cxlmem_device_get_parent(dev));
}

static void put_driver(struct cell *cell, struct cxlmem_device *dev)
{
	put_text(cell, cxlmem_device_get_driver(dev));
}

static void put_mode(struct cell *cell, struct cxlmem_device *dev)
{
	put_text(cell, cxlmem_device_get_mode(dev));
}

static void put_state(struct cell *cell, struct cxlmem_device *dev)
{
	put_text(cell, cxlmem_device_get_state(dev));
}

static void put_start(struct cell *cell, struct cxlmem_device *dev)
{
	put_hex(cell, cxlmem_device_get_start(dev));
}

static void put_total(struct cell *cell, struct cxlmem_device *dev)
{
	put_size(cell, cxlmem_device_get_size(dev));
}

static void put_usable(struct cell *cell, struct cxlmem_device *dev)
{
	put_size(cell, cxlmem_device_get_usable_size(dev));
}

static void put_node(struct cell *cell, struct cxlmem_device *dev)
{
	put_number(cell, cxlmem_device_get_node(dev));
}

static void put_zone(struct cell *cell, struct cxlmem_device *dev)
{
	put_text(cell, cxlmem_device_get_zone(dev));
}

static bool has_blocks(struct cxlmem_device *dev)
{
	return cxlmem_device_get_state(dev)[0];
}

static void put_online(struct cell *cell, struct cxlmem_device *dev)
{
	if (has_blocks(dev))
		put_size(cell, cxlmem_device_get_online(dev));
}

static void put_offline(struct cell *cell, struct cxlmem_device *dev)
{
	if (has_blocks(dev))
		put_size(cell, cxlmem_device_get_offline(dev));
}

static void put_used(struct cell *cell, struct cxlmem_device *dev)
{
	int64_t used = cxlmem_device_get_used(dev);

	if (used >= 0 && (has_blocks(dev) || cxlmem_device_get_capacity(dev)))
		put_size(cell, used);
}

static void put_free(struct cell *cell, struct cxlmem_device *dev)
{
	int64_t bytes = cxlmem_device_get_free(dev);

	if (bytes >= 0)
		put_size(cell, bytes);
}

static void put_capacity(struct cell *cell, struct cxlmem_device *dev)
{
	if (cxlmem_device_get_capacity(dev))
		put_size(cell, cxlmem_device_get_capacity(dev));
}

static void put_policy(struct cell *cell, struct cxlmem_device *dev)
{
	put_text(cell, cxlmem_device_get_policy(dev));
}

static void put_quota(struct cell *cell, struct cxlmem_device *dev)
{
	if (cxlmem_device_get_quota(dev) > 0)
		put_size(cell, cxlmem_device_get_quota(dev));
}

static void put_lend(struct cell *cell, struct cxlmem_device *dev)
{
	int lend = cxlmem_device_get_lend(dev);

	if (lend >= 0)
		put_text(cell, lend ? "on" : "off");
}

static void put_claimed(struct cell *cell, struct cxlmem_device *dev)
{
	if (!strcmp(cxlmem_device_get_mode(dev), "cma"))
		put_size(cell, cxlmem_device_get_claimed(dev));
}

static void put_distance(struct cell *cell, struct cxlmem_device *dev)
{
	put_number(cell, cxlmem_device_get_distance(dev));
}

static void put_latency(struct cell *cell, struct cxlmem_device *dev)
{
	put_unit(cell, cxlmem_device_get_read_latency(dev), cell->bytes ? "" : "ns");
}

static void put_bandwidth(struct cell *cell, struct cxlmem_device *dev)
{
	put_unit(cell, cxlmem_device_get_read_bandwidth(dev), cell->bytes ? "" : "MB/s");
}

static void put_tier(struct cell *cell, struct cxlmem_device *dev)
{
	put_number(cell, cxlmem_device_get_tier(dev));
}

static void put_memmap(struct cell *cell, struct cxlmem_device *dev)
{
	int memmap = cxlmem_device_get_memmap(dev);

	if (memmap >= 0)
		put_text(cell, memmap ? "device" : "host");
}

static void put_source(struct cell *cell, struct cxlmem_device *dev)
{
	put_text(cell, cxlmem_device_get_source(dev));
}

static void put_serial(struct cell *cell, struct cxlmem_device *dev)
{
	put_hex(cell, cxlmem_device_get_serial(dev));
}

static const struct column {
	const char *name;
	bool shown;			/* without -o */
	int flags;
	void (*put)(struct cell *cell, struct cxlmem_device *dev);
} columns[] = {
	{ "NAME",	true,	0,			put_name },
	{ "PARENT",	true,	0,			put_parent },
	{ "DRIVER",	false,	0,			put_driver },
	{ "KIND",	false,	0,			put_kind },
	{ "MODE",	true,	0,			put_mode },
	{ "STATE",	true,	0,			put_state },
	{ "START",	false,	SCOLS_FL_RIGHT,		put_start },
	{ "SIZE",	true,	SCOLS_FL_RIGHT,		put_total },
	{ "USABLE",	false,	SCOLS_FL_RIGHT,		put_usable },
	{ "NODE",	true,	SCOLS_FL_RIGHT,		put_node },
	{ "ZONE",	true,	0,			put_zone },
	{ "ONLINE",	true,	SCOLS_FL_RIGHT,		put_online },
	{ "OFFLINE",	false,	SCOLS_FL_RIGHT,		put_offline },
	{ "USED",	true,	SCOLS_FL_RIGHT,		put_used },
	{ "FREE",	true,	SCOLS_FL_RIGHT,		put_free },
	{ "CAPACITY",	false,	SCOLS_FL_RIGHT,		put_capacity },
	{ "POLICY",	false,	0,			put_policy },
	{ "QUOTA",	false,	SCOLS_FL_RIGHT,		put_quota },
	{ "LEND",	false,	0,			put_lend },
	{ "CLAIMED",	false,	SCOLS_FL_RIGHT,		put_claimed },
	{ "DISTANCE",	true,	SCOLS_FL_RIGHT,		put_distance },
	{ "LATENCY",	true,	SCOLS_FL_RIGHT,		put_latency },
	{ "BANDWIDTH",	true,	SCOLS_FL_RIGHT,		put_bandwidth },
	{ "TIER",	true,	SCOLS_FL_RIGHT,		put_tier },
	{ "MEMMAP",	false,	0,			put_memmap },
	{ "SOURCE",	false,	0,			put_source },
	{ "SERIAL",	false,	SCOLS_FL_RIGHT,		put_serial },
};

struct chosen {
	const struct column *columns[ARRAY_SIZE(columns)];
	size_t nr;
};

static const struct column *find_column(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(columns); i++)
		if (strlen(columns[i].name) == len && !strncasecmp(columns[i].name, name, len))
			return &columns[i];
	return NULL;
}

static int unknown_column(struct tool *t, const char *name, size_t len)
{
	char names[256] = "";
	size_t i, end = 0;

	for (i = 0; i < ARRAY_SIZE(columns); i++)
		end += snprintf(names + end, sizeof(names) - end, " %s", columns[i].name);
	return wrong_usage(t, "there is no column '%.*s'; there are:%s", (int)len, name, names);
}

static int choose_columns(struct tool *t, struct chosen *chosen)
{
	const char *list = t->value['o'];
	bool all = t->value[OPT_OUTPUT_ALL];
	size_t i;

	for (i = 0; !list && i < ARRAY_SIZE(columns); i++)
		if (columns[i].shown || all)
			chosen->columns[chosen->nr++] = &columns[i];
	while (list && *list) {
		size_t len = strcspn(list, ",");
		const struct column *column = find_column(list, len);

		if (!column)
			return unknown_column(t, list, len);
		if (chosen->nr == ARRAY_SIZE(chosen->columns))
			return wrong_usage(t, "there are fewer columns than -o names");
		chosen->columns[chosen->nr++] = column;
		list += len;
		list += *list == ',';
	}
	return 0;
}

static int add_row(struct tool *t, struct libscols_table *table, const struct chosen *chosen,
		   struct cxlmem_device *dev)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	size_t i;

	if (!line)
		return -ENOMEM;
	for (i = 0; i < chosen->nr; i++) {
		struct cell cell = { .bytes = t->value['b'] };

		chosen->columns[i]->put(&cell, dev);
		if (scols_line_set_data(line, i, cell.text[0] ? cell.text : "-"))
			return -ENOMEM;
	}
	return 0;
}

/* Which devices: those named, in the mode asked for. */
static bool wanted(struct tool *t, struct cxlmem_device *dev, int argc, char **argv)
{
	const char *mode = t->value[OPT_MODE];
	struct cxlmem_device *named;
	int i;

	if (mode && strcmp(mode, cxlmem_device_get_mode(dev)))
		return false;
	for (i = 0; i < argc; i++)
		if (!cxlmem_device_find(t->ctx, argv[i], &named) && named == dev)
			return true;
	return !argc;
}

static void tell_trimmed(struct cxlmem_device *dev)
{
	uint64_t size = cxlmem_device_get_size(dev), usable = cxlmem_device_get_usable_size(dev);
	char text[2][16];

	/* Of a dax device only root knows it. */
	if (usable < size && cxlmem_device_get_start(dev))
		fprintf(stderr, "%s: %s of its %s cannot be used: they are no whole memory blocks\n",
			cxlmem_device_get_name(dev),
			cxlmem_format_size(size - usable, text[0], sizeof(text[0])),
			cxlmem_format_size(size, text[1], sizeof(text[1])));
}

static int print_table(struct tool *t, const struct chosen *chosen, int argc, char **argv)
{
	struct libscols_table *table = scols_new_table();
	struct cxlmem_device *dev;
	int rc = table ? 0 : -ENOMEM;
	size_t i;

	if (table) {
		scols_table_enable_noheadings(table, !!t->value['n']);
		scols_table_enable_raw(table, !!t->value['r']);
	}
	for (i = 0; !rc && i < chosen->nr; i++)
		if (!scols_table_new_column(table, chosen->columns[i]->name, 0,
					    chosen->columns[i]->flags))
			rc = -ENOMEM;
	cxlmem_device_foreach(t->ctx, dev) {
		if (rc || !wanted(t, dev, argc, argv))
			continue;
		rc = add_row(t, table, chosen, dev);
		if (t->verbose)
			tell_trimmed(dev);
	}
	/* A table that cannot be written shows in stdout's state, which main() checks. */
	if (!rc)
		scols_print_table(table);
	scols_unref_table(table);
	return rc ? failed(t, "%s", strerror(-rc)) : EXIT_DONE;
}

static int list_as_json(struct tool *t, int argc, char **argv)
{
	struct json_object *o = json_object_new_object(), *array = json_object_new_array();
	struct cxlmem_device *dev;

	cxlmem_device_foreach(t->ctx, dev)
		if (wanted(t, dev, argc, argv))
			json_object_array_add(array, json_device(dev));
	json_object_object_add(o, "schema", json_object_new_int(JSON_SCHEMA));
	json_object_object_add(o, "devices", array);
	print_json(o);
	return EXIT_DONE;
}

int cmd_list(struct tool *t, int argc, char **argv)
{
	struct chosen chosen = { .nr = 0 };
	struct cxlmem_device *dev;
	int i;

	if (choose_columns(t, &chosen))
		return EXIT_USAGE;
	for (i = 0; i < argc; i++)
		if (cxlmem_device_find(t->ctx, argv[i], &dev))
			return library_failed(t);
	if (t->json)
		return list_as_json(t, argc, argv);
	if (!cxlmem_device_get_first(t->ctx)) {
		fputs("no devices; \"cxlmemctl bind\" makes one, \"cxlmemctl doctor\" tells what could be bound\n",
		      stderr);
		return EXIT_DONE;
	}
	return print_table(t, &chosen, argc, argv);
}
