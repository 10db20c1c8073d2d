// SPDX-License-Identifier: GPL-2.0
/* Switching modes: each switch completes, or leaves things as they were. */
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <unistd.h>

#include "tree.h"

#define MODE "sys/class/cxlmem/cxlmem0/mode"

/* What the library has told during an operation. */
struct news {
	unsigned int steps, warnings, waits, blocks, kernel, progress;
	unsigned int stop_after;	/* so many calls about progress, 0 for never */
	uint64_t block;
	char text[1024];		/* of the last step or warning */
	char there[1024];		/* what is on the device */
	char reason[1024];
	char remedy[1024];
	char pages[1024];
};

static int on_event(const struct cxlmem_event *event, void *data)
{
	struct news *news = data;

	switch (event->type) {
	case CXLMEM_EVENT_STEP:
		news->steps++;
		strcpy(news->text, event->text);
		if (!strncmp(event->text, "there are: ", strlen("there are: ")))
			strcpy(news->there, event->text);
		break;
	case CXLMEM_EVENT_WARNING:
		news->warnings++;
		strcpy(news->text, event->text);
		break;
	case CXLMEM_EVENT_WAIT:
		news->waits++;
		strcpy(news->text, event->text);
		break;
	case CXLMEM_EVENT_BLOCK:
		news->blocks++;
		news->block = event->block;
		strcpy(news->reason, event->reason);
		strcpy(news->remedy, event->remedy ? event->remedy : "");
		strcpy(news->pages, event->pages ? event->pages : "");
		break;
	case CXLMEM_EVENT_KERNEL:
		news->kernel++;
		break;
	case CXLMEM_EVENT_PROGRESS:
		news->progress++;
		assert_true(event->done <= event->total);
		if (news->stop_after && news->progress >= news->stop_after)
			return 1;
		break;
	}
	return 0;
}

/* The usual beginning: a machine with one device. */
struct fixture {
	struct cxlmem_ctx *ctx;
	struct cxlmem_device *dev;
	struct cxlmem_options options;
	struct news news;
};

static void begin(struct fixture *f)
{
	static const struct cxlmem_options defaults = CXLMEM_OPTIONS_INIT;

	put_machine();
	put_device(0);
	put_node1(100 * MIB);
	f->ctx = tree_context();
	f->dev = find(f->ctx, "cxlmem0");
	f->options = defaults;
	f->options.event = on_event;
	f->options.data = &f->news;
	memset(&f->news, 0, sizeof(f->news));
}

static int set(struct fixture *f, const char *mode)
{
	return cxlmem_device_set_mode(f->dev, mode, &f->options);
}

/* States of the four blocks: 1 online, 0 offline, - absent. */
static const char *blocks(void)
{
	static char text[64];
	char path[128];
	unsigned int i;

	text[0] = '\0';
	for (i = 32; i < 36; i++) {
		snprintf(path, sizeof(path), "sys/devices/system/memory/memory%u/state", i);
		if (!exists(path))
			strcat(text, "-");
		else
			strcat(text, strcmp(get(path), "online") ? "0" : "1");
	}
	return text;
}

static void online_and_offline(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	assert_int_equal(set(&f, "system"), CXLMEM_DONE);
	assert_string_equal(get(MODE), "system");
	assert_string_equal(blocks(), "1111");
	assert_string_equal(get("sys/devices/system/memory/memory32/valid_zones"), "Movable");
	assert_string_equal(cxlmem_device_get_state(f.dev), "online");

	assert_int_equal(set(&f, "system"), CXLMEM_ALREADY);
	assert_int_equal(set(&f, "offline"), CXLMEM_DONE);
	assert_string_equal(get(MODE), "offline");
	assert_string_equal(blocks(), "----");
	assert_int_equal(set(&f, "offline"), CXLMEM_ALREADY);
	assert_int_equal(f.news.warnings, 0);
	cxlmem_unref(f.ctx);
}

static void somebody_was_faster(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	put("fake/policy", "Movable\n");
	assert_int_equal(set(&f, "system"), CXLMEM_DONE);
	assert_string_equal(blocks(), "1111");
	cxlmem_unref(f.ctx);
}

/* pmem/ndctl 246: the kernel's policy must not get in the way; nor may it choose the zone. */
static void wrong_zone_is_corrected(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	put("fake/policy", "Normal\n");
	assert_int_equal(set(&f, "system"), CXLMEM_DONE);
	assert_string_equal(blocks(), "1111");
	assert_string_equal(get("sys/devices/system/memory/memory35/valid_zones"), "Movable");
	cxlmem_unref(f.ctx);
}

static void the_rest_goes_online(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	assert_int_equal(set(&f, "system"), CXLMEM_DONE);
	put("sys/devices/system/memory/memory34/state", "offline\n");
	assert_int_equal(set(&f, "system"), CXLMEM_DONE);
	assert_string_equal(blocks(), "1111");
	cxlmem_unref(f.ctx);
}

static void driver_and_back(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	put_driver_mode(0);
	assert_int_equal(cxlmem_rescan(f.ctx), 0);
	f.dev = find(f.ctx, "cxlmem0");
	assert_int_equal(set(&f, "system"), CXLMEM_DONE);
	f.options.policy = "evict";
	f.options.quota = 64 * MIB;
	assert_int_equal(set(&f, "driver"), CXLMEM_DONE);
	assert_string_equal(get(MODE), "driver");
	assert_string_equal(blocks(), "----");
	assert_string_equal(get("sys/class/cxlmem/cxlmem0/policy"), "evict");
	assert_string_equal(get("sys/class/cxlmem/cxlmem0/quota"), "67108864");
	assert_int_equal(cxlmem_device_get_capacity(f.dev), 4 * BLOCK);
	assert_int_equal(cxlmem_device_get_free(f.dev), 4 * BLOCK);
	assert_int_equal(cxlmem_device_get_quota(f.dev), 64 * MIB);
	assert_int_equal(set(&f, "driver"), CXLMEM_ALREADY);
	assert_int_equal(set(&f, "system"), CXLMEM_DONE);
	assert_string_equal(blocks(), "1111");
	assert_int_equal(cxlmem_device_get_capacity(f.dev), 0);
	f.options.policy = "sometimes";
	assert_int_equal(set(&f, "driver"), -EINVAL);
	assert_string_equal(get(MODE), "system");
	cxlmem_unref(f.ctx);
}

/* Nothing of what has been set stays, and the device in use is not emptied. */
static void refused_quota_is_undone(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	put_driver_mode(0);
	assert_int_equal(cxlmem_rescan(f.ctx), 0);
	f.dev = find(f.ctx, "cxlmem0");
	assert_int_equal(set(&f, "driver"), CXLMEM_DONE);
	put("sys/class/cxlmem/cxlmem0/pages/used", "%llu\n", 100 * MIB);
	put("fake/quota.error", "22 no multiple of the page size");
	f.options.policy = "evict";
	f.options.quota = 1000;
	assert_int_equal(set(&f, "driver"), -EINVAL);
	assert_contains(cxlmem_error(f.ctx), "cannot set quota to 1000: no multiple of the page size");
	assert_string_equal(get(MODE), "driver");
	assert_string_equal(get("sys/class/cxlmem/cxlmem0/policy"), "deny");
	assert_int_equal(cxlmem_device_get_used(f.dev), 100 * MIB);
	cxlmem_unref(f.ctx);
}

/* What the host has no room for is not driven out. */
static void no_room_for_what_is_handed_out(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	put_driver_mode(0);
	assert_int_equal(cxlmem_rescan(f.ctx), 0);
	f.dev = find(f.ctx, "cxlmem0");
	assert_int_equal(set(&f, "driver"), CXLMEM_DONE);
	put("sys/class/cxlmem/cxlmem0/pages/used", "%llu\n", 500 * MIB);
	put("sys/devices/system/node/node0/meminfo", "Node 0 MemFree: 1024 kB\n");
	assert_int_equal(set(&f, "offline"), -ENOSPC);
	assert_contains(cxlmem_error(f.ctx), "cxlmem0 holds 500M of data");
	assert_string_equal(get(MODE), "driver");
	cxlmem_unref(f.ctx);
}

static void kernel_zone(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	f.options.zone = "kernel";
	assert_int_equal(set(&f, "system"), CXLMEM_DONE);
	assert_int_equal(f.news.warnings, 1);
	assert_contains(f.news.text, "cannot be taken back");
	assert_string_equal(get("sys/class/cxlmem/cxlmem0/zone"), "kernel");
	assert_string_equal(get("sys/devices/system/memory/memory32/valid_zones"), "Normal");
	cxlmem_unref(f.ctx);
}

static void other_settings_go_through_offline(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	assert_int_equal(set(&f, "system"), CXLMEM_DONE);
	f.options.node = 2;
	f.options.memmap = 1;
	assert_int_equal(set(&f, "system"), CXLMEM_DONE);
	assert_int_equal(f.news.steps, 1);
	assert_contains(f.news.text, "goes off line first");
	assert_string_equal(get("sys/class/cxlmem/cxlmem0/node"), "2");
	assert_string_equal(get("sys/class/cxlmem/cxlmem0/memmap_on_memory"), "1");
	assert_string_equal(blocks(), "1111");
	cxlmem_unref(f.ctx);
}

static void refused_setting_is_undone(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	put("fake/node.error", "1 node 0 has CPUs");
	f.options.zone = "kernel";
	f.options.node = 0;
	assert_int_equal(set(&f, "system"), -EPERM);
	assert_contains(cxlmem_error(f.ctx), "cannot set node to 0: node 0 has CPUs");
	assert_string_equal(get("sys/class/cxlmem/cxlmem0/zone"), "movable");
	assert_string_equal(get("sys/class/cxlmem/cxlmem0/node"), "1");
	assert_string_equal(get(MODE), "offline");
	cxlmem_unref(f.ctx);
}

static void refused_setting_brings_system_back(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	assert_int_equal(set(&f, "system"), CXLMEM_DONE);
	put("fake/memmap_on_memory.error", "95 not on this kernel");
	f.options.memmap = 1;
	assert_int_equal(set(&f, "system"), -EOPNOTSUPP);
	assert_contains(cxlmem_error(f.ctx), "not on this kernel");
	assert_string_equal(get(MODE), "system");
	assert_string_equal(blocks(), "1111");
	cxlmem_unref(f.ctx);
}

static void block_cannot_go_online(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	put("fake/no-online", "34\n");
	assert_int_equal(set(&f, "system"), -ENOMEM);
	assert_int_equal(f.news.blocks, 1);
	assert_int_equal(f.news.block, 34);
	assert_contains(cxlmem_error(f.ctx), "memory34 cannot go on line in zone movable");
	assert_string_equal(get(MODE), "offline");
	assert_string_equal(blocks(), "----");

	f.options.flags = CXLMEM_PARTIAL;
	assert_int_equal(set(&f, "system"), CXLMEM_PARTLY);
	assert_string_equal(blocks(), "1101");
	assert_string_equal(cxlmem_device_get_state(f.dev), "partly");
	cxlmem_unref(f.ctx);
}

/* In mode "system" already, the blocks that were offline before are so afterwards. */
static void online_is_undone_block_by_block(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	assert_int_equal(set(&f, "system"), CXLMEM_DONE);
	put("sys/devices/system/memory/memory33/state", "offline\n");
	put("sys/devices/system/memory/memory34/state", "offline\n");
	put("fake/no-online", "34\n");
	assert_int_equal(set(&f, "system"), -ENOMEM);
	assert_string_equal(blocks(), "1001");
	cxlmem_unref(f.ctx);
}

static void mode_refused(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	put("fake/mode.error", "16 the range is taken by somebody");
	assert_int_equal(set(&f, "system"), -EBUSY);
	assert_contains(cxlmem_error(f.ctx),
			"cannot add the memory to the system: the range is taken by somebody");
	assert_string_equal(get(MODE), "offline");
	cxlmem_unref(f.ctx);
}

static void stuck_block_keeps_everything(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	assert_int_equal(set(&f, "system"), CXLMEM_DONE);
	put("fake/stuck", "34\n");
	assert_int_equal(set(&f, "offline"), -EBUSY);
	assert_contains(cxlmem_error(f.ctx), "is stuck");
	assert_int_equal(f.news.blocks, 1);
	assert_int_equal(f.news.block, 34);
	assert_contains(f.news.reason, "memory of the kernel itself");
	assert_contains(f.news.reason, "the kernel says \"unmovable page\" of type slab");
	assert_string_equal(get(MODE), "system");
	assert_string_equal(blocks(), "1111");
	cxlmem_unref(f.ctx);
}

static void held_pages_of_a_stuck_block(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	assert_int_equal(set(&f, "system"), CXLMEM_DONE);
	put("fake/stuck", "34\n");
	put("sys/class/cxlmem/cxlmem0/contents/held", "%#llx 4096 held\n%#llx 8192 pinned\n",
	    33 * BLOCK, 34 * BLOCK + 4096);
	assert_int_equal(set(&f, "offline"), -EBUSY);
	assert_string_equal(f.news.reason,
			    "8K of it, first at 0x110001000, are pinned, as for a device's DMA: "
			    "no process has them mapped");
	assert_contains(f.news.remedy, "wait until the I/O is done");

	put("sys/class/cxlmem/cxlmem0/contents/held",
	    "%#llx 4096 held\n%#llx 8192 fixed ramfs\n%#llx 4096 pinned\n", 34 * BLOCK,
	    34 * BLOCK + 4096, 35 * BLOCK);
	assert_int_equal(set(&f, "offline"), -EBUSY);
	assert_string_equal(f.news.reason,
			    "8K of it, first at 0x110001000, belong to files of ramfs, which has no "
			    "way to move what is not written back: no process has them mapped");
	assert_contains(f.news.remedy, "remove the files");

	f.options.flags = CXLMEM_DRY_RUN;
	assert_int_equal(set(&f, "offline"), CXLMEM_DONE);
	assert_contains(f.news.text, "this would fail now: 4K of it, first at 0x118000000, are pinned");
	cxlmem_unref(f.ctx);
}

/* One huge page in block 34, and room for less than that. */
static void huge_pages_of_a_stuck_block(void **state)
{
	uint64_t flags[512];
	struct fixture f;
	char path[PATH_MAX];
	size_t i;
	int fd;

	(void)state;
	begin(&f);
	assert_int_equal(set(&f, "system"), CXLMEM_DONE);
	put("fake/stuck", "34\n");
	for (i = 0; i < ARRAY_SIZE(flags); i++)
		flags[i] = 1ull << 17;
	put("proc/kpageflags", "%s", "");
	snprintf(path, sizeof(path), "%s/proc/kpageflags", tree_path());
	fd = open(path, O_WRONLY);
	assert_int_equal(pwrite(fd, flags, sizeof(flags), 34 * BLOCK / 4096 * 8), sizeof(flags));
	close(fd);
	put("sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "9\n");
	put("sys/devices/system/node/node0/hugepages/hugepages-2048kB/free_hugepages", "0\n");
	put("sys/devices/system/node/node1/hugepages/hugepages-2048kB/free_hugepages", "9\n");
	assert_int_equal(set(&f, "offline"), -EBUSY);
	assert_contains(f.news.reason, "2M of it are huge pages of hugetlbfs, and the other nodes have 0B");
	assert_contains(f.news.remedy, "nr_hugepages of another node");

	/* With room it is something else. */
	put("sys/devices/system/node/node0/hugepages/hugepages-2048kB/free_hugepages", "1\n");
	assert_int_equal(set(&f, "offline"), -EBUSY);
	assert_contains(f.news.reason, "the kernel says \"unmovable page\"");
	cxlmem_unref(f.ctx);
}

/* 32768 pages of block 34: 1 slab, 2 anonymous, 1 file, the rest free. */
static void put_kpageflags(void)
{
	static uint64_t flags[32768];
	char path[PATH_MAX];
	size_t i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(flags); i++)
		flags[i] = 1ull << 10;
	flags[0] = 1ull << 7;
	flags[1] = flags[2] = 1ull << 12 | 1ull << 5;
	flags[3] = 1ull << 5;
	put("proc/kpageflags", "%s", "");
	snprintf(path, sizeof(path), "%s/proc/kpageflags", tree_path());
	fd = open(path, O_WRONLY);
	assert_int_equal(pwrite(fd, flags, sizeof(flags), 34 * BLOCK / 4096 * 8), sizeof(flags));
	close(fd);
}

static void pages_of_a_stuck_block(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	assert_int_equal(set(&f, "system"), CXLMEM_DONE);
	put("fake/stuck", "34\n");
	put_kpageflags();
	assert_int_equal(set(&f, "offline"), -EBUSY);
	assert_string_equal(f.news.pages, "free 127.9M, slab 4K, anonymous 8K, file 4K");
	cxlmem_unref(f.ctx);
}

static void merged_page_of_a_stuck_block(void **state)
{
	const uint64_t flags = 1ull << 5 | 1ull << 12 | 1ull << 21;
	struct fixture f;
	char path[PATH_MAX];
	int fd;

	(void)state;
	begin(&f);
	assert_int_equal(set(&f, "system"), CXLMEM_DONE);
	put("fake/stuck", "34\n");
	put("proc/kpageflags", "%s", "");
	snprintf(path, sizeof(path), "%s/proc/kpageflags", tree_path());
	fd = open(path, O_WRONLY);
	assert_int_equal(pwrite(fd, &flags, sizeof(flags), 34 * BLOCK / 4096 * 8), sizeof(flags));
	close(fd);
	assert_int_equal(set(&f, "offline"), -EBUSY);
	assert_contains(f.news.reason, "merged by KSM, and the kernel does not find all");
	assert_contains(f.news.remedy, "echo 2 >/sys/kernel/mm/ksm/run");
	cxlmem_unref(f.ctx);
}

/* Without the kernel's log, the driver still says which block it was. */
static void stuck_block_without_log(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	assert_int_equal(set(&f, "system"), CXLMEM_DONE);
	put("fake/stuck", "34\n");
	drop("dev/kmsg");
	assert_int_equal(set(&f, "offline"), -EBUSY);
	assert_int_equal(f.news.block, 34);
	assert_contains(f.news.reason, "the kernel gives no reason");
	cxlmem_unref(f.ctx);
}

static void partial_offline(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	assert_int_equal(set(&f, "system"), CXLMEM_DONE);
	put("fake/stuck", "33\n");
	f.options.flags = CXLMEM_PARTIAL;
	assert_int_equal(set(&f, "offline"), CXLMEM_PARTLY);
	assert_string_equal(get(MODE), "system");
	assert_string_equal(blocks(), "0100");
	assert_int_equal(f.news.block, 33);
	assert_contains(cxlmem_error(f.ctx), "memory33");

	drop("fake/stuck");
	assert_int_equal(set(&f, "offline"), CXLMEM_DONE);
	assert_string_equal(get(MODE), "offline");
	cxlmem_unref(f.ctx);
}

static void evacuate(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	assert_int_equal(cxlmem_device_evacuate(f.dev, &f.options), CXLMEM_ALREADY);
	assert_int_equal(set(&f, "system"), CXLMEM_DONE);
	assert_int_equal(cxlmem_device_evacuate(f.dev, &f.options), CXLMEM_DONE);
	assert_string_equal(get(MODE), "system");
	assert_string_equal(blocks(), "0000");
	assert_string_equal(cxlmem_device_get_state(f.dev), "offline");
	assert_int_equal(cxlmem_device_evacuate(f.dev, &f.options), CXLMEM_ALREADY);

	assert_int_equal(set(&f, "system"), CXLMEM_DONE);
	put("fake/stuck", "34\n");
	assert_int_equal(cxlmem_device_evacuate(f.dev, &f.options), -EBUSY);
	assert_contains(cxlmem_error(f.ctx), "everything is as it was");
	assert_string_equal(blocks(), "1111");
	f.options.flags = CXLMEM_PARTIAL;
	assert_int_equal(cxlmem_device_evacuate(f.dev, &f.options), CXLMEM_PARTLY);
	assert_string_equal(blocks(), "0010");
	cxlmem_unref(f.ctx);
}

static void no_room_on_the_host(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	assert_int_equal(set(&f, "system"), CXLMEM_DONE);
	put("sys/devices/system/node/node0/meminfo",
	    "Node 0 MemTotal: 2097152 kB\nNode 0 MemFree: 51200 kB\n"
	    "Node 0 Active(file): 10240 kB\nNode 0 Inactive(file): 10240 kB\n");
	put("proc/sys/vm/min_free_kbytes", "10240\n");
	assert_int_equal(set(&f, "offline"), -ENOSPC);
	assert_contains(cxlmem_error(f.ctx), "holds 100M of data");
	assert_contains(cxlmem_error(f.ctx), "room for 60M");
	assert_int_equal(cxlmem_device_evacuate(f.dev, &f.options), -ENOSPC);
	assert_string_equal(blocks(), "1111");

	f.options.flags = CXLMEM_FORCE;
	assert_int_equal(set(&f, "offline"), CXLMEM_DONE);
	cxlmem_unref(f.ctx);
}

static void dry_run_changes_nothing(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	f.options.flags = CXLMEM_DRY_RUN;
	assert_int_equal(set(&f, "offline"), CXLMEM_ALREADY);
	assert_int_equal(set(&f, "system"), CXLMEM_DONE);
	assert_contains(f.news.text, "would add 512M of cxlmem0 to node 1");
	assert_false(exists("fake/log"));

	f.options.flags = 0;
	assert_int_equal(set(&f, "system"), CXLMEM_DONE);
	drop("fake/log");
	put_kpageflags();
	f.options.flags = CXLMEM_DRY_RUN;
	assert_int_equal(set(&f, "system"), CXLMEM_ALREADY);
	assert_int_equal(set(&f, "offline"), CXLMEM_DONE);
	assert_int_equal(f.news.warnings, 1);
	assert_contains(f.news.text, "4K of it are memory of the kernel itself");
	assert_contains(f.news.there, "slab 4K, anonymous 8K, file 4K, ");
	assert_contains(f.news.there, "; how long it takes to move that cannot be told");
	f.options.rate = 4096;
	assert_int_equal(set(&f, "offline"), CXLMEM_DONE);
	assert_contains(f.news.there, "takes about 4 s");
	assert_int_equal(cxlmem_device_evacuate(f.dev, &f.options), CXLMEM_DONE);
	assert_false(exists("fake/log"));
	assert_string_equal(blocks(), "1111");
	cxlmem_unref(f.ctx);
}

static void stopped_by_the_caller(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	assert_int_equal(set(&f, "system"), CXLMEM_DONE);
	put("fake/hang", "1\n");
	f.news.progress = 0;
	f.news.stop_after = 3;
	assert_int_equal(set(&f, "offline"), -EINTR);
	assert_contains(cxlmem_error(f.ctx), "stopped; everything is as it was");
	assert_string_equal(get(MODE), "system");
	assert_string_equal(blocks(), "1111");
	assert_int_equal(f.news.blocks, 0);
	cxlmem_unref(f.ctx);
}

/* The signal that stops the kernel can come when it has just done what it was told. */
static void stopped_too_late(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	assert_int_equal(set(&f, "system"), CXLMEM_DONE);
	put("fake/late", "1\n");
	f.news.progress = 0;
	f.news.stop_after = 3;
	assert_int_equal(cxlmem_device_evacuate(f.dev, &f.options), -EINTR);
	assert_contains(cxlmem_error(f.ctx), "stopped; everything is as it was");
	assert_string_equal(blocks(), "1111");
	assert_int_equal(set(&f, "offline"), CXLMEM_DONE);
	assert_string_equal(get(MODE), "offline");
	cxlmem_unref(f.ctx);
}

static void stopped_while_going_online(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	f.news.stop_after = 3;
	assert_int_equal(set(&f, "system"), -EINTR);
	assert_string_equal(get(MODE), "offline");
	assert_string_equal(blocks(), "----");
	cxlmem_unref(f.ctx);
}

static void no_progress_for_too_long(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	assert_int_equal(set(&f, "system"), CXLMEM_DONE);
	put("fake/hang", "1\n");
	f.options.timeout = 1;
	assert_int_equal(set(&f, "offline"), -ETIMEDOUT);
	assert_contains(cxlmem_error(f.ctx), "1 seconds without progress");
	assert_int_equal(cxlmem_device_evacuate(f.dev, &f.options), -ETIMEDOUT);
	assert_contains(cxlmem_error(f.ctx), "memory33 did not come free");
	assert_string_equal(blocks(), "1111");
	cxlmem_unref(f.ctx);
}

/* Another process that holds the device's lock for as long as the pipe is open. */
static pid_t lock_elsewhere(int release[2])
{
	char path[PATH_MAX], c;
	int ready[2];
	pid_t pid;

	if (pipe(release) || pipe(ready))
		fail_msg("pipe: %s", strerror(errno));
	pid = fork();
	if (!pid) {
		snprintf(path, sizeof(path), "%s/run/cxlmem", tree_path());
		mkdir(path, 0755);
		strcat(path, "/cxlmem0.lock");
		close(release[1]);
		if (flock(open(path, O_RDWR | O_CREAT, 0600), LOCK_EX))
			_exit(1);
		c = write(ready[1], "x", 1);
		_exit(read(release[0], &c, 1) != 0);
	}
	close(release[0]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static void one_at_a_time(void **state)
{
	struct fixture f;
	int release[2], status;
	pid_t pid;

	(void)state;
	begin(&f);
	pid = lock_elsewhere(release);
	f.options.flags = CXLMEM_NO_WAIT;
	assert_int_equal(set(&f, "system"), -EBUSY);
	assert_contains(cxlmem_error(f.ctx), "another program works on cxlmem0");
	assert_false(exists("fake/log"));
	close(release[1]);
	waitpid(pid, &status, 0);
	assert_int_equal(set(&f, "system"), CXLMEM_DONE);
	cxlmem_unref(f.ctx);
}

/* /proc/locks tells who it is. */
static void names_who_has_the_lock(void **state)
{
	struct fixture f;
	struct stat st;
	char path[PATH_MAX];
	int fd;

	(void)state;
	begin(&f);
	put("run/cxlmem/cxlmem0.lock", "%s", "");
	snprintf(path, sizeof(path), "%s/run/cxlmem/cxlmem0.lock", tree_path());
	fd = open(path, O_RDWR);
	if (fd < 0)
		fail_msg("cannot open %s", path);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(fstat(fd, &st), 0);
	put("proc/locks",
	    "1: POSIX  ADVISORY  WRITE 76 %02x:%02x:%ju 0 EOF\njunk\n"
	    "2: FLOCK  ADVISORY  WRITE 77 %02x:%02x:%ju 0 EOF\n",
	    major(st.st_dev), minor(st.st_dev), (uintmax_t)st.st_ino,
	    major(st.st_dev), minor(st.st_dev), (uintmax_t)st.st_ino);
	f.options.flags = CXLMEM_NO_WAIT;
	assert_int_equal(cxlmem_device_set_mode(f.dev, "system", &f.options), -EBUSY);
	assert_string_equal(cxlmem_error(f.ctx), "another program (pid 77) works on cxlmem0");
	put("proc/77/comm", "keeper\n");
	assert_int_equal(cxlmem_device_set_mode(f.dev, "system", &f.options), -EBUSY);
	assert_string_equal(cxlmem_error(f.ctx), "another keeper (pid 77) works on cxlmem0");
	close(fd);
	cxlmem_unref(f.ctx);
}

static void release_soon(int fd)
{
	if (!fork()) {
		usleep(200000);
		_exit(0);
	}
	close(fd);
}

static void waits_for_its_turn(void **state)
{
	struct fixture f;
	int release[2];
	pid_t pid;

	(void)state;
	begin(&f);
	pid = lock_elsewhere(release);
	release_soon(release[1]);
	assert_int_equal(set(&f, "system"), CXLMEM_DONE);
	assert_int_equal(f.news.waits, 1);
	waitpid(pid, NULL, 0);
	waitpid(-1, NULL, 0);
	cxlmem_unref(f.ctx);
}

static void unknown_words(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	assert_int_equal(set(&f, "sytem"), -EINVAL);
	assert_contains(cxlmem_error(f.ctx), "no mode 'sytem'; it has: offline system");
	assert_int_equal(set(&f, ""), -EINVAL);
	f.options.zone = "normal";
	assert_int_equal(set(&f, "system"), -EINVAL);
	assert_contains(cxlmem_error(f.ctx), "no zone 'normal'");
	f.options.zone = NULL;
	f.options.node = 1024;
	assert_int_equal(set(&f, "system"), -ERANGE);
	f.options.node = CXLMEM_KEEP;
	f.options.to = 1024;
	assert_int_equal(set(&f, "offline"), -ERANGE);
	f.options.to = 1;
	assert_int_equal(set(&f, "offline"), -EINVAL);
	assert_contains(cxlmem_error(f.ctx), "which is its own");
	f.options.to = 5;
	assert_int_equal(set(&f, "offline"), -EINVAL);
	assert_contains(cxlmem_error(f.ctx), "node 5, which has none");
	assert_false(exists("fake/log"));
	cxlmem_unref(f.ctx);
}

/* pmem/ndctl 260: a missing target node is said, with what to do about it. */
static void no_node(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	put("sys/class/cxlmem/cxlmem0/node", "-1\n");
	assert_int_equal(set(&f, "system"), -EDOM);
	assert_contains(cxlmem_error(f.ctx), "--node N");
	f.options.node = 3;
	assert_int_equal(set(&f, "system"), CXLMEM_DONE);
	assert_int_equal(cxlmem_device_get_node(f.dev), 3);
	cxlmem_unref(f.ctx);
}

/* pmem/ndctl 243: too small after alignment is not just an invalid argument. */
static void too_small(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	put("sys/class/cxlmem/cxlmem0/size", "%llu\n", 100 * MIB);
	put("sys/class/cxlmem/cxlmem0/usable_size", "0\n");
	assert_int_equal(set(&f, "system"), -EINVAL);
	assert_contains(cxlmem_error(f.ctx), "100M at 0x100000000");
	assert_contains(cxlmem_error(f.ctx), "blocks are 128M");
	assert_false(exists("fake/log"));
	cxlmem_unref(f.ctx);
}

static void old_programs_options(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	/* A program that knows of nothing beyond the flags. */
	f.options.size = offsetof(struct cxlmem_options, zone);
	f.options.zone = (const char *)0x1;
	f.options.event = NULL;
	assert_int_equal(set(&f, "system"), CXLMEM_DONE);
	assert_int_equal(cxlmem_device_set_mode(f.dev, "offline", NULL), CXLMEM_DONE);
	cxlmem_unref(f.ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(online_and_offline),
		TEST(somebody_was_faster),
		TEST(wrong_zone_is_corrected),
		TEST(the_rest_goes_online),
		TEST(kernel_zone),
		TEST(driver_and_back),
		TEST(refused_quota_is_undone),
		TEST(no_room_for_what_is_handed_out),
		TEST(other_settings_go_through_offline),
		TEST(refused_setting_is_undone),
		TEST(refused_setting_brings_system_back),
		TEST(block_cannot_go_online),
		TEST(online_is_undone_block_by_block),
		TEST(mode_refused),
		TEST(stuck_block_keeps_everything),
		TEST(held_pages_of_a_stuck_block),
		TEST(huge_pages_of_a_stuck_block),
		TEST(pages_of_a_stuck_block),
		TEST(merged_page_of_a_stuck_block),
		TEST(stuck_block_without_log),
		TEST(partial_offline),
		TEST(evacuate),
		TEST(no_room_on_the_host),
		TEST(dry_run_changes_nothing),
		TEST(stopped_by_the_caller),
		TEST(stopped_too_late),
		TEST(stopped_while_going_online),
		TEST(no_progress_for_too_long),
		TEST(one_at_a_time),
		TEST(names_who_has_the_lock),
		TEST(waits_for_its_turn),
		TEST(unknown_words),
		TEST(no_node),
		TEST(too_small),
		TEST(old_programs_options),
	};

	return cmocka_run_group_tests_name("transition", tests, NULL, NULL);
}
