// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel says about devices, nodes, memory blocks and the machine, as
 * the commands show it that change nothing.
 *
 * The input is a list of records "=K VALUE", each at the beginning of a line:
 * the file with key K in the table below holds VALUE, which may have several
 * lines. All others hold what they should.
 *
 * runs: 1500
 * length: 1000
 */
#include <ctype.h>
#include <unistd.h>

#include "fuzz.h"

#define DEV	"sys/class/cxlmem/cxlmem0/"
#define DAX	"sys/bus/dax/devices/dax0.0/"
#define MEMORY	"sys/devices/system/memory/"
#define NODES	"sys/devices/system/node/"
#define TIERS	"sys/devices/virtual/memory_tiering/"

static const struct file {
	char key;
	enum { TEXT, LINK, NAME } type;	/* NAME: VALUE is that of a link here to @target */
	const char *path;
	const char *target;
} files[] = {
	{ 'a', TEXT, DEV "mode", NULL },
	{ 'b', TEXT, DEV "modes", NULL },
	{ 'c', TEXT, DEV "zone", NULL },
	{ 'd', TEXT, DEV "node", NULL },
	{ 'e', TEXT, DEV "memmap_on_memory", NULL },
	{ 'f', TEXT, DEV "source", NULL },
	{ 'g', TEXT, DEV "start", NULL },
	{ 'h', TEXT, DEV "size", NULL },
	{ 'i', TEXT, DEV "usable_start", NULL },
	{ 'j', TEXT, DEV "usable_size", NULL },
	{ 'k', TEXT, DEV "serial", NULL },
	{ 'l', LINK, DEV "device", NULL },
	{ 'm', LINK, "sys/bus/pci/devices/0000:0d:00.0/driver", NULL },
	{ 'n', NAME, "sys/class/cxlmem/", "cxlmem0" },
	{ 'o', TEXT, MEMORY "block_size_bytes", NULL },
	{ 'p', TEXT, MEMORY "memory32/state", NULL },
	{ 'q', TEXT, MEMORY "memory32/valid_zones", NULL },
	{ 'r', TEXT, MEMORY "memory0/removable", NULL },
	{ 's', TEXT, MEMORY "auto_online_blocks", NULL },
	{ 't', TEXT, DAX "size", NULL },
	{ 'u', TEXT, DAX "resource", NULL },
	{ 'v', TEXT, DAX "target_node", NULL },
	{ 'w', TEXT, DAX "memmap_on_memory", NULL },
	{ 'x', LINK, DAX "driver", NULL },
	{ 'y', NAME, "sys/bus/dax/devices/", "dax0.0" },
	{ 'A', TEXT, NODES "node1/meminfo", NULL },
	{ 'B', TEXT, NODES "node0/meminfo", NULL },
	{ 'C', TEXT, NODES "node1/distance", NULL },
	{ 'D', TEXT, NODES "node1/access0/initiators/read_latency", NULL },
	{ 'E', TEXT, NODES "node1/access0/initiators/read_bandwidth", NULL },
	{ 'F', TEXT, NODES "online", NULL },
	{ 'G', TEXT, NODES "has_cpu", NULL },
	{ 'H', TEXT, NODES "has_memory", NULL },
	{ 'I', TEXT, TIERS "memory_tier60/nodelist", NULL },
	{ 'J', NAME, TIERS, "memory_tier60" },
	{ 'K', TEXT, "proc/zoneinfo", NULL },
	{ 'L', TEXT, "proc/sys/vm/min_free_kbytes", NULL },
	{ 'M', TEXT, "sys/module/cxlmem_core/version", NULL },
	{ 'N', TEXT, "sys/module/memory_hotplug/parameters/memmap_on_memory", NULL },
	{ 'O', TEXT, "etc/udev/rules.d/40-memory.rules", NULL },
	{ 'P', NAME, "sys/bus/pci/devices/", "0000:0d:00.0" },
	{ 'Q', TEXT, "sys/bus/pci/devices/0000:0d:00.0/config", NULL },
};

static void put_all(void)
{
	int i;

	put_machine();
	put_device(0);
	put(DEV "mode", "system\n");
	put_node1(100 * MIB);
	for (i = 32; i < 40; i++) {
		char path[100];

		snprintf(path, sizeof(path), MEMORY "memory%d/state", i);
		put(path, "online\n");
		snprintf(path, sizeof(path), MEMORY "memory%d/valid_zones", i);
		put(path, "Movable\n");
	}
	put(DAX "size", "%llu\n", 4 * BLOCK);
	put(DAX "resource", "%#llx\n", START + 4 * BLOCK);
	put(DAX "target_node", "1\n");
	put(DAX "memmap_on_memory", "0\n");
	put_link(DAX "driver", "../../drivers/kmem");
	put("proc/zoneinfo", "Node 0, zone   Normal\n        managed  524288\n"
			     "Node 0, zone  Movable\n        managed  1000\n");
	put("sys/module/cxlmem_core/version", VERSION "\n");
	put("sys/module/memory_hotplug/parameters/memmap_on_memory", "Y\n");
}

/* What a file held before the input changed it. */
struct change {
	char path[PATH_MAX];
	char *before;			/* NULL: there was none */
	bool link;
};

static struct change changes[40];
static size_t nr_changes;

static void remember(const char *path, bool link)
{
	struct change *change = &changes[nr_changes++];
	char target[PATH_MAX];
	ssize_t len;

	snprintf(change->path, sizeof(change->path), "%s", path);
	change->link = link;
	change->before = NULL;
	if (link) {
		len = readlink(path, target, sizeof(target) - 1);
		if (len >= 0)
			change->before = strndup(target, len);
	} else if (exists(path)) {
		change->before = strdup(get(path));
	}
}

static void put_back(void)
{
	while (nr_changes) {
		struct change *change = &changes[--nr_changes];

		if (!change->before)
			drop(change->path);
		else if (change->link)
			put_link(change->path, change->before);
		else
			put(change->path, "%s\n", change->before);
		free(change->before);
	}
}

/* So many blocks that reading them takes seconds, and not yet too many to be believed. */
static bool is_slow(const char *value)
{
	char word[32];
	uint64_t size;

	snprintf(word, sizeof(word), "%.*s", (int)strcspn(value, " \n"), value);
	return !parse_number(word, &size) && size > 1ull << 38 && size < 1ull << 48;
}

static void apply(char key, char *value, size_t len)
{
	char path[PATH_MAX];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(files) && files[i].key != key; i++)
		;
	if (i == ARRAY_SIZE(files) || nr_changes == ARRAY_SIZE(changes) || is_slow(value))
		return;
	if (files[i].type == TEXT) {
		remember(files[i].path, false);
		put_bytes(files[i].path, value, len);
		return;
	}
	/* Names of the kernel's have none of these. */
	value[strcspn(value, "\n")] = '\0';
	if (!*value || strlen(value) > NAME_MAX)
		return;
	if (files[i].type == LINK) {
		remember(files[i].path, true);
		put_link(files[i].path, value);
		return;
	}
	snprintf(path, sizeof(path), "%s%s", files[i].path, value);
	if (strchr(value, '/') || value[0] == '.' || exists(path))
		return;
	remember(path, true);
	put_link(path, files[i].target);
}

static void apply_records(char *text, size_t size)
{
	char *at = text, *end = text + size;

	while (at < end) {
		char *next = memmem(at, end - at, "\n=", 2);

		if (next)
			*next++ = '\0';
		else
			next = end;
		if (next - at > 3 && at[0] == '=' && at[2] == ' ')
			apply(at[1], at + 3, strlen(at + 3) < (size_t)(next - at - 3) && next < end ?
			      (size_t)(next - at - 4) : (size_t)(next - at - 3));
		at = next;
	}
}

static const char *const commands_shown[][6] = {
	{ "list", "--json" },
	{ "list", "--output-all", "-v" },
	{ "doctor", "--json" },
	{ "mode", "cxlmem0", "offline", "--dry-run", "--json" },
	{ "mode", "cxlmem0", "system", "--zone", "kernel", "--dry-run" },
	{ "evacuate", "cxlmem0", "--dry-run", "--json" },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = to_string(data, size);
	struct printed printed;
	size_t i, n;

	fuzz_context();
	if (!exists(DEV "mode"))
		put_all();
	apply_records(text, size);
	for (i = 0; i < ARRAY_SIZE(commands_shown); i++) {
		char *argv[10] = { "cxlmemctl", "--sysroot", "." };
		int argc = 3;

		for (n = 0; n < 6 && commands_shown[i][n]; n++)
			argv[argc++] = (char *)commands_shown[i][n];
		run_tool(argc, argv, &printed);
		if (!strcmp(argv[argc - 1], "--json"))
			check_json(&printed);
	}
	must(!exists("fake/log"), "%s", get("fake/log"));
	put_back();
	free(text);
	return 0;
}
