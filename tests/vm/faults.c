// SPDX-License-Identifier: GPL-2.0
/*
 * Has the allocations that an operation makes fail, one at each try, until the
 * operation runs through with none failing. After each try the device must be
 * in the state it was in or in the one it was to go to, as the result said, and
 * the same operation must succeed.
 *
 *	faults [-a] [-d|-m|-c] [-p PID] pci ADDRESS | range START SIZE [OPERATION...]
 *
 *	-a	every allocation; else a sample that is dense at the beginning
 *	-d	the operations that begin with data on the node
 *	-m	those of mode "driver", with memory of this program's own
 *	-c	those of mode "cma"; else the others
 *	-p	a process whose memory is on the node when it has memory online
 *
 * A line for each operation: "ok" or "not ok", its name, and what was tried.
 * Needs a kernel with fault injection, and the files of debugfs.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "../../driver/include/uapi/linux/cxlmem.h"

#define DEVICE "/sys/class/cxlmem/cxlmem0"
#define BLOCKS "/sys/devices/system/memory"
#define DEBUG "/sys/kernel/debug"
#define NOTIFIER DEBUG "/notifier-error-inject/memory/actions/MEM_GOING_"

/*
 * Without -a, the first ones and then a growing step: by half, or twice as far
 * where a try takes seconds, since data must be moved.
 */
#define DENSE 8
#define DENSE_WITH_DATA 4

/*
 * What cxlmem can be in, each entered from the one that it names as its base.
 * Adding a mode takes a state here and a row in states[].
 */
enum state {
	UNLOADED,	/* no module */
	LOADED,		/* cxlmem_core */
	UNBOUND,	/* and the driver */
	OFFLINE,	/* a device, in mode "offline" */
	SYSTEM,		/* in mode "system", all blocks offline */
	ONLINE,		/* all blocks online, with data on them */
	ORPHAN,		/* as before, without a device */
	DRIVER,		/* in mode "driver", with nothing on it */
	STOCKED,	/* all of our data on it */
	CREATED,	/* pages on it that were created there */
	FULL,		/* no room on it: a filler takes it all */
	EVICTED,	/* all of our data on it, and for the rest the filler */
	MIXED,		/* some of all that, after a failure */
	CMA,		/* in mode "cma", all blocks offline */
	LENT,		/* all blocks online and lent, with data on them */
	CLAIMED,	/* and a piece claimed */
	KEPT,		/* all blocks online, and nothing lent */
	CLAIMED_KEPT,	/* and a piece claimed */
	BROKEN,		/* anything else: a defect */
};

static bool is_range, all_points;
static enum group { PLAIN, WITH_DATA, MODE_DRIVER, MODE_CMA } group;
static const char *address;		/* of the PCI function */
static char range_words[64], range_start[32];
static pid_t bystander;
static int nth = -1;			/* this thread's fail-nth */

/* Where the device's memory blocks are. */
static unsigned long first_block, nr_blocks, usable_size;

static void __attribute__((format(printf, 1, 2))) note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
}

/* Opened before, so that only the write is what an injection is for. */
static int write_to(int fd, const char *value)
{
	int rc = write(fd, value, strlen(value)) < 0 ? -errno : 0;

	close(fd);
	return rc;
}

static int attr_write(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -errno : write_to(fd, value);
}

static int attr_read(const char *path, char *value, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;
	int rc;

	if (fd < 0)
		return -errno;
	n = read(fd, value, size - 1);
	rc = n < 0 ? -errno : 0;
	close(fd);
	if (rc)
		return rc;
	value[n] = '\0';
	value[strcspn(value, "\n")] = '\0';
	return 0;
}

static void must(int rc, const char *what)
{
	if (rc) {
		printf("not ok %s without an injection: %s\n", what, strerror(-rc));
		exit(1);
	}
}

static unsigned long number_in(const char *path)
{
	char value[64];

	must(attr_read(path, value, sizeof(value)), path);
	return strtoul(value, NULL, 0);
}

/* What is there. */

static bool in_iomem(const char *what)
{
	FILE *in = fopen("/proc/iomem", "re");
	bool found = false;
	char line[256];

	while (in && fgets(line, sizeof(line), in))
		found |= !!strstr(line, what);
	if (in)
		fclose(in);
	return found;
}

static void find_blocks(void)
{
	unsigned long size;
	char value[64];

	must(attr_read(BLOCKS "/block_size_bytes", value, sizeof(value)), "the block size");
	size = strtoul(value, NULL, 16);
	first_block = number_in(DEVICE "/usable_start") / size;
	usable_size = number_in(DEVICE "/usable_size");
	nr_blocks = usable_size / size;
}

static char *block_state(unsigned long i)
{
	static char path[64];

	snprintf(path, sizeof(path), BLOCKS "/memory%lu/state", first_block + i);
	return path;
}

/* How many blocks there are, and how many are online. */
static void count_blocks(unsigned long *there, unsigned long *online)
{
	unsigned long i;
	char value[16];

	*there = *online = 0;
	for (i = 0; i < nr_blocks; i++) {
		if (attr_read(block_state(i), value, sizeof(value)))
			continue;
		++*there;
		*online += !strcmp(value, "online");
	}
}

static bool module_is_loaded(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/module/%s", name);
	return !access(path, F_OK);
}

static const char *driver_module(void)
{
	return is_range ? "cxlmem_range" : "cxlmem_pci";
}

/* Memory of our own that goes to the device and back, in mode "driver". */

#define PAGE 4096ul
#define HUGE (2ul << 20)

/*
 * Of data, the first block is a huge page, and of the others, which are there so
 * that several threads share the work, each has a few small ones.
 */
#define DATA_SIZE (4 * HUGE)
#define DATA_PER_BLOCK 16
#define FRESH_SIZE HUGE

struct area {
	char *memory;
	size_t size, pages;	/* as far as there are any */
} data, fresh, filler;

static bool counts_are_wrong;

/* In place of whatever was there; page tables are gone, too. */
static void map_at(char *memory, size_t size)
{
	if (mmap(memory, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		 -1, 0) == MAP_FAILED)
		err(1, "mmap");
}

static void reserve(struct area *area, size_t size)
{
	char *memory = mmap(NULL, size + HUGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		err(1, "mmap");
	area->memory = memory + (-(unsigned long)memory & (HUGE - 1));
	area->size = size;
	map_at(area->memory, size);
}

static unsigned long word_of(const char *at)
{
	return (unsigned long)at * 0x9e3779b97f4a7c15ul;
}

static bool is_data(size_t offset)
{
	return offset < HUGE || offset % HUGE < DATA_PER_BLOCK * PAGE;
}

/* A word at each end of the page. */
static void write_page(char *page)
{
	char *last = page + PAGE - sizeof(long);

	*(unsigned long *)page = word_of(page);
	*(unsigned long *)last = word_of(last);
}

static bool page_is_right(const char *page)
{
	const char *last = page + PAGE - sizeof(long);

	return *(unsigned long *)page == word_of(page) && *(unsigned long *)last == word_of(last);
}

static void make_areas(void)
{
	size_t at;

	reserve(&data, DATA_SIZE);
	if (madvise(data.memory, HUGE, MADV_HUGEPAGE) ||
	    madvise(data.memory + HUGE, DATA_SIZE - HUGE, MADV_NOHUGEPAGE))
		err(1, "madvise");
	for (at = 0; at < DATA_SIZE; at += PAGE)
		if (is_data(at)) {
			write_page(data.memory + at);
			data.pages++;
		}
	reserve(&fresh, FRESH_SIZE);
	fresh.pages = FRESH_SIZE / PAGE;
}

static bool contents_are_right(void)
{
	size_t at;

	for (at = 0; at < data.size; at += PAGE)
		if (is_data(at) && !page_is_right(data.memory + at))
			return false;
	for (at = 0; at < filler.size; at += PAGE)
		if (!page_is_right(filler.memory + at))
			return false;
	return true;
}

static unsigned long on_device(const struct area *area)
{
	struct cxlmem_residency places = {
		.size = sizeof(places),
		.start = (unsigned long)area->memory,
		.length = area->size,
	};
	int fd;

	if (!area->size)
		return 0;
	fd = open("/dev/cxlmem0", O_RDWR | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, CXLMEM_IOC_RESIDENCY, &places) || places.done != area->size)
		err(1, "residency");
	close(fd);
	return places.device;
}

/* What is in use has to be ours, so a page that nobody has any more is found. */
static enum state look_at_driver_mode(void)
{
	unsigned long of_data = on_device(&data), of_fresh = on_device(&fresh);
	unsigned long of_filler = on_device(&filler);
	unsigned long used = number_in(DEVICE "/pages/used") / PAGE;
	bool full = used == number_in(DEVICE "/pages/capacity") / PAGE;

	if (used != of_data + of_fresh + of_filler) {
		note("%lu pages are in use, but %lu are ours", used, of_data + of_fresh + of_filler);
		return BROKEN;
	}
	if (!used)
		return DRIVER;
	if (of_data == data.pages && used == of_data)
		return STOCKED;
	if (of_fresh == fresh.pages && used == of_fresh)
		return CREATED;
	if (full && used == of_filler)
		return FULL;
	return of_data == data.pages && of_filler && !of_fresh ? EVICTED : MIXED;
}

/* A claim is of half the device, so that the OS has something in its place. */
static int claimed = -1;
static size_t claim_size;

static enum state look_at_cma(unsigned long online)
{
	bool lent = number_in(DEVICE "/cma/lent"), free_too = number_in(DEVICE "/cma/free");
	unsigned long of_claims = number_in(DEVICE "/cma/claimed");
	char lend[8];

	if (attr_read(DEVICE "/lend", lend, sizeof(lend)) || number_in(DEVICE "/cma/taking") ||
	    of_claims != (claimed < 0 ? 0 : claim_size))
		return BROKEN;
	if (!online)
		return of_claims ? BROKEN : CMA;
	if (online != nr_blocks)
		return BROKEN;
	if (!strcmp(lend, "on"))
		return lent ? claimed < 0 ? LENT : CLAIMED : BROKEN;
	return !lent && free_too ? claimed < 0 ? KEPT : CLAIMED_KEPT : BROKEN;
}

static enum state look(void)
{
	bool added = in_iomem("System RAM (cxlmem)"), held = in_iomem("cxlmem0");
	unsigned long there, online;
	char mode[32];

	count_blocks(&there, &online);
	if (access(DEVICE, F_OK)) {
		if (added && held && there == nr_blocks && online == nr_blocks)
			return ORPHAN;
		if (added || held || there)
			return BROKEN;
		if (module_is_loaded(driver_module()))
			return UNBOUND;
		return module_is_loaded("cxlmem_core") ? LOADED : UNLOADED;
	}
	if (!held || attr_read(DEVICE "/mode", mode, sizeof(mode)))
		return BROKEN;
	if (!strcmp(mode, "offline"))
		return !added && !there ? OFFLINE : BROKEN;
	if (!strcmp(mode, "driver"))
		return !added && !there ? look_at_driver_mode() : BROKEN;
	if (!added || there != nr_blocks)
		return BROKEN;
	if (!strcmp(mode, "cma"))
		return look_at_cma(online);
	if (!strcmp(mode, "system")) {
		if (online == nr_blocks)
			return ONLINE;
		if (!online)
			return SYSTEM;
	}
	return BROKEN;
}

/* Operations: 0 or an error number, negative. */

static int load(const char *name, const char *parameters)
{
	struct utsname uts;
	char path[256];
	int fd, rc;

	uname(&uts);
	snprintf(path, sizeof(path), "/lib/modules/%s/updates/%s.ko", uts.release, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	rc = syscall(SYS_finit_module, fd, parameters, 0) ? -errno : 0;
	close(fd);
	return rc;
}

static int unload(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

static int load_core(void)	{ return load("cxlmem_core", ""); }
static int load_driver(void)	{ return load(driver_module(), ""); }
static int unload_core(void)	{ return unload("cxlmem_core"); }
static int unload_driver(void)	{ return unload(driver_module()); }

static int load_with_range(void)
{
	char parameters[80];

	snprintf(parameters, sizeof(parameters), "ranges=%s+%s", range_start,
		 strchr(range_words, ' ') + 1);
	return load("cxlmem_range", parameters);
}

static int bind_device(void)
{
	if (is_range)
		return attr_write("/sys/bus/platform/drivers/cxlmem_range/new_range", range_words);
	return attr_write("/sys/bus/pci/drivers/cxlmem_pci/bind", address);
}

static int unbind_device(void)
{
	if (is_range)
		return attr_write("/sys/bus/platform/drivers/cxlmem_range/remove_range",
				  range_start);
	return attr_write("/sys/bus/pci/drivers/cxlmem_pci/unbind", address);
}

static int mode_system(void)	{ return attr_write(DEVICE "/mode", "system"); }
static int mode_driver(void)	{ return attr_write(DEVICE "/mode", "driver"); }
static int mode_offline(void)	{ return attr_write(DEVICE "/mode", "offline"); }
static int set_zone(void)	{ return attr_write(DEVICE "/zone", "movable"); }
static int set_node(void)	{ return attr_write(DEVICE "/node", "1"); }
static int set_memmap(void)	{ return attr_write(DEVICE "/memmap_on_memory", "0"); }

/* All blocks or none, as cxlmemctl does it. */
static int online_blocks(void)
{
	unsigned long i;
	int rc = 0;

	for (i = 0; i < nr_blocks && !rc; i++)
		rc = attr_write(block_state(i), "online_movable");
	if (rc)
		for (i--; i-- > 0;)
			attr_write(block_state(i), "offline");
	return rc;
}

static int offline_blocks(void)
{
	unsigned long i;
	int rc = 0;

	for (i = 0; i < nr_blocks && !rc; i++)
		rc = attr_write(block_state(i), "offline");
	return rc;
}

static int online_with_data(void)
{
	unsigned long host = 1, far = 1ul << number_in(DEVICE "/node");
	int rc = online_blocks();

	if (!rc && bystander && syscall(SYS_migrate_pages, bystander, 64, &host, &far) < 0)
		rc = -errno;
	return rc;
}

/* Unbinding cannot fail; what cannot be offlined stays, without a device. */
static int become_orphan(void)
{
	int rc;

	must(attr_write(NOTIFIER "OFFLINE/error", "-16"), "a notifier's error");
	rc = unbind_device();
	must(attr_write(NOTIFIER "OFFLINE/error", "0"), "no notifier's error");
	return rc;
}

static int read_attributes(void)
{
	static char path[300], value[4096];
	DIR *dir = opendir(DEVICE);
	struct dirent *entry;
	int rc = 0;

	if (!dir)
		return -errno;
	while (!rc && (entry = readdir(dir)))
		if (entry->d_type == DT_REG) {
			snprintf(path, sizeof(path), DEVICE "/%s", entry->d_name);
			if (!access(path, R_OK))
				rc = attr_read(path, value, sizeof(value));
		}
	closedir(dir);
	return rc;
}

/* A second thread helps even where there is one CPU only. */
static int enter_driver(void)
{
	must(attr_write("/sys/module/cxlmem_core/parameters/workers", "2"), "workers");
	return mode_driver();
}

/* An error, too, if it has not come true for all of the pages. */
static int request(unsigned long what, const struct area *area)
{
	struct cxlmem_move move = {
		.size = sizeof(move),
		.start = (unsigned long)area->memory,
		.length = area->size,
	};
	const struct cxlmem_counts *c = &move.counts;
	int fd = open("/dev/cxlmem0", O_RDWR | O_CLOEXEC), rc;

	if (fd < 0)
		return -errno;
	rc = ioctl(fd, what, &move) ? -errno : 0;
	close(fd);
	if (rc == -EFAULT)
		return rc;
	counts_are_wrong = c->moved + c->created + c->already + c->empty + c->absent + c->host +
			   c->busy + c->file + c->special + c->unmapped + c->no_room !=
			   move.done / PAGE;
	if (rc || move.done != area->size || c->busy || c->no_room)
		return rc ?: -EAGAIN;
	return what == CXLMEM_IOC_CREATE && c->created + c->already != area->pages ? -EAGAIN : 0;
}

static int move_in(void)	{ return request(CXLMEM_IOC_MOVE_IN, &data); }
static int move_out(void)	{ return request(CXLMEM_IOC_MOVE_OUT, &data); }
static int create(void)		{ return request(CXLMEM_IOC_CREATE, &fresh); }

static int drop_fresh(void)
{
	map_at(fresh.memory, fresh.size);
	return 0;
}

static int drop_filler(void)
{
	if (filler.size)
		munmap(filler.memory, filler.size);
	filler = (struct area) {};
	return 0;
}

static int fill_up(void)
{
	size_t at;
	int rc = attr_write(DEVICE "/policy", "evict");

	if (rc)
		return rc;
	if (!filler.size)
		reserve(&filler, number_in(DEVICE "/pages/capacity"));
	filler.pages = filler.size / PAGE;
	for (at = 0; at < filler.size; at += PAGE)
		write_page(filler.memory + at);
	return request(CXLMEM_IOC_MOVE_IN, &filler);
}

static int fill_up_again(void)
{
	return move_out() ?: fill_up();
}

static int clear_device(void)
{
	drop_fresh();
	drop_filler();
	return move_out();
}

/* Page by page: the huge one is there, whole, and so are the few small ones. */
static int ask_where(void)
{
	static unsigned char places[DATA_SIZE / PAGE];
	struct cxlmem_residency where = {
		.size = sizeof(where),
		.start = (unsigned long)data.memory,
		.length = data.size,
		.vector = (unsigned long)places,
	};
	int fd = open("/dev/cxlmem0", O_RDWR | O_CLOEXEC), rc;
	size_t i;

	if (fd < 0)
		return -errno;
	memset(places, 0xff, sizeof(places));
	rc = ioctl(fd, CXLMEM_IOC_RESIDENCY, &where) ? -errno : 0;
	close(fd);
	if (rc || where.done != data.size)
		return rc ?: -EAGAIN;
	for (i = 0; i < sizeof(places); i++)
		if (places[i] != (is_data(i * PAGE) ? CXLMEM_PAGE_DEVICE : CXLMEM_PAGE_NONE))
			counts_are_wrong = true;
	return 0;
}

/* Mode "cma". Claiming the memory of blocks that are online is what may fail here. */

static int lend_off(void)	{ return attr_write(DEVICE "/lend", "off"); }
static int lend_on(void)	{ return attr_write(DEVICE "/lend", "on"); }

static int enter_cma(void)
{
	return lend_on() ?: attr_write(DEVICE "/mode", "cma");
}

static int claim(void)
{
	struct cxlmem_buffer buffer = {
		.size = sizeof(buffer),
		.length = usable_size / 2,
	};
	int fd = open("/dev/cxlmem0", O_RDWR | O_CLOEXEC), rc;

	if (fd < 0)
		return -errno;
	claim_size = buffer.length;
	rc = ioctl(fd, CXLMEM_IOC_CLAIM, &buffer) ? -errno : 0;
	close(fd);
	if (!rc)
		claimed = buffer.fd;
	return rc;
}

static int release(void)
{
	int rc = close(claimed) ? -errno : 0;

	claimed = -1;
	return rc;
}

static const struct {
	const char *name;
	enum state base;
	int (*enter)(void), (*leave)(void);
} states[] = {
	[UNLOADED] = { "unloaded", UNLOADED, NULL, NULL },
	[LOADED] = { "loaded", UNLOADED, load_core, unload_core },
	[UNBOUND] = { "unbound", LOADED, load_driver, unload_driver },
	[OFFLINE] = { "offline", UNBOUND, bind_device, unbind_device },
	[SYSTEM] = { "system", OFFLINE, mode_system, mode_offline },
	[ONLINE] = { "online", SYSTEM, online_with_data, offline_blocks },
	[ORPHAN] = { "without a device", ONLINE, become_orphan, bind_device },
	[DRIVER] = { "driver", OFFLINE, enter_driver, mode_offline },
	[STOCKED] = { "with data", DRIVER, move_in, move_out },
	[CREATED] = { "with created pages", DRIVER, create, drop_fresh },
	[FULL] = { "full", DRIVER, fill_up, drop_filler },
	[EVICTED] = { "with data, having evicted", FULL, move_in, fill_up_again },
	[MIXED] = { "with some pages", DRIVER, NULL, clear_device },
	[CMA] = { "cma", OFFLINE, enter_cma, mode_offline },
	[LENT] = { "lent", CMA, online_with_data, offline_blocks },
	[CLAIMED] = { "with a claim", LENT, claim, release },
	[KEPT] = { "kept", LENT, lend_off, lend_on },
	[CLAIMED_KEPT] = { "kept, with a claim", KEPT, claim, release },
	[BROKEN] = { "broken", BROKEN, NULL, NULL },
};

static bool is_based_on(enum state state, enum state base)
{
	while (state != base && states[state].base != state)
		state = states[state].base;
	return state == base;
}

static void go_to(enum state to)
{
	enum state now = look(), next;

	while (now != to) {
		if (now == BROKEN) {
			note("not ok cannot go on: the state is broken");
			exit(1);
		}
		if (is_based_on(to, now)) {
			for (next = to; states[next].base != now; next = states[next].base)
				;
			must(states[next].enter(), states[next].name);
		} else {
			next = states[now].base;
			must(states[now].leave(), states[next].name);
		}
		now = look();
		if (now != next) {
			note("not ok %s has come out as %s", states[next].name, states[now].name);
			exit(1);
		}
	}
}

/* What has been to the device has come back in small pages. */
static void make_huge(void)
{
	if (madvise(data.memory, HUGE, MADV_COLLAPSE))
		note("no huge page: %s", strerror(errno));
}

/* How to make something fail. */

enum means {
	OWN,		/* allocations of the thread that asks for the operation */
	SLAB, PAGES,	/* those of one kind that a kernel function makes, in any thread */
	NOTIFIERS,	/* a memory notifier, wherever it is asked */
};

static const char * const kinds[] = { [SLAB] = "failslab", [PAGES] = "fail_page_alloc" };

/* Of each kind: how many the kernel has counted since it booted, as far as known. */
static unsigned long counted[PAGES + 1];

static void debug_write(const char *kind, const char *knob, unsigned long value)
{
	char path[96], text[32];

	snprintf(path, sizeof(path), DEBUG "/%s/%s", kind, knob);
	snprintf(text, sizeof(text), "%lu", value);
	must(attr_write(path, text), path);
}

static unsigned long debug_read(const char *kind, const char *knob)
{
	char path[96];

	snprintf(path, sizeof(path), DEBUG "/%s/%s", kind, knob);
	return number_in(path);
}

/*
 * Where a kernel function's code is: up to the next higher address, since the
 * order of the list is that of addresses only as far as the kernel's own go.
 */
static void find_function(const char *name, unsigned long *start, unsigned long *end)
{
	unsigned long at;
	char symbol[256];
	FILE *in;

	*start = 0;
	*end = -1ul;
	for (int pass = 0; pass < 2; pass++) {
		in = fopen("/proc/kallsyms", "re");
		if (!in)
			err(1, "/proc/kallsyms");
		while (fscanf(in, "%lx %*c %255s%*[^\n]", &at, symbol) == 2)
			if (!pass && !strcmp(symbol, name))
				*start = at;
			else if (pass && at > *start && at < *end)
				*end = at;
		fclose(in);
	}
	if (!*start || *end == -1ul)
		errx(1, "no function %s in /proc/kallsyms", name);
}

static void stack_filter(const char *edge, const char *function)
{
	unsigned long start, end;
	enum means kind;
	char knob[32];

	find_function(function, &start, &end);
	for (kind = SLAB; kind <= PAGES; kind++) {
		snprintf(knob, sizeof(knob), "%s-start", edge);
		debug_write(kinds[kind], knob, start);
		snprintf(knob, sizeof(knob), "%s-end", edge);
		debug_write(kinds[kind], knob, end);
	}
}

static void no_stack_filter(const char *edge)
{
	enum means kind;
	char knob[32];

	for (kind = SLAB; kind <= PAGES; kind++) {
		snprintf(knob, sizeof(knob), "%s-start", edge);
		debug_write(kinds[kind], knob, 0);
		snprintf(knob, sizeof(knob), "%s-end", edge);
		debug_write(kinds[kind], knob, strcmp(edge, "require") ? 0 : -1ul);
	}
}

static void set_up_injection(void)
{
	enum means kind;

	nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (nth < 0)
		err(1, "fail-nth");
	for (kind = SLAB; kind <= PAGES; kind++) {
		debug_write(kinds[kind], "verbose", 0);
		debug_write(kinds[kind], "probability", 0);
		debug_write(kinds[kind], "ignore-gfp-wait", 0);
		debug_write(kinds[kind], "stacktrace-depth", 32);
	}
	debug_write(kinds[PAGES], "min-order", 0);
	debug_write(kinds[PAGES], "ignore-gfp-highmem", 0);
	no_stack_filter("require");
	/*
	 * A failure in here ends the experiment: phys_pmd_init() goes on with a
	 * page table that it did not get, and __add_pages() leaves sections
	 * behind, so that the range cannot be added again.
	 */
	stack_filter("reject", "arch_add_memory");
}

/* The point-th thing from now on is to fail. */
static void arm(enum means means, unsigned long point)
{
	char value[32];

	switch (means) {
	case OWN:
		snprintf(value, sizeof(value), "%lu", point);
		if (pwrite(nth, value, strlen(value), 0) < 0)
			err(1, "fail-nth");
		break;
	case SLAB:
	case PAGES:
		/*
		 * One fails whenever the count is a multiple of the interval,
		 * and the count goes on from where it was.
		 */
		debug_write(kinds[means], "interval", counted[means] + point);
		debug_write(kinds[means], "times", 1);
		debug_write(kinds[means], "probability", 100);
		break;
	case NOTIFIERS:
		must(attr_write(point == 1 ? NOTIFIER "ONLINE/error" : NOTIFIER "OFFLINE/error",
				"-12"), "a notifier's error");
		break;
	}
}

/* True if something has failed. */
static bool disarm(enum means means, unsigned long point)
{
	char value[32] = "";
	bool failed;

	switch (means) {
	case OWN:
		if (pread(nth, value, sizeof(value) - 1, 0) < 0 || pwrite(nth, "0", 1, 0) < 0)
			err(1, "fail-nth");
		return !atoi(value);
	case SLAB:
	case PAGES:
		debug_write(kinds[means], "probability", 0);
		failed = !debug_read(kinds[means], "times");
		/* An interval of 1 counts nothing. */
		if (failed && counted[means] + point > 1)
			counted[means] += point;
		return failed;
	default:
		must(attr_write(NOTIFIER "ONLINE/error", "0"), "no notifier's error");
		must(attr_write(NOTIFIER "OFFLINE/error", "0"), "no notifier's error");
		return point <= 2;
	}
}

/*
 * The operations. `or_else` is what a success may come out as, too: removing a
 * device cannot fail. With `within`, the thread that does the work is another.
 * `halfway` is what a failure may come out as, too: a request for many pages has
 * done a part of it, and between two modes the device is in mode "offline".
 */
struct operation {
	const char *name;
	enum state from, to, or_else;
	int (*run)(void);
	enum means means;
	const char *within;
	enum { BOTH, PCI, RANGE } devices;
	enum state halfway;
};

#define WORKER "offline_and_remove_memory"
#define CREATOR "kthreadd"
#define HELPER "help"

static const struct operation operations[] = {
	{ "load core", UNLOADED, LOADED, 0, load_core, OWN, NULL, PCI, 0 },
	{ "load driver", LOADED, UNBOUND, 0, load_driver, OWN, NULL, BOTH, 0 },
	{ "load with range", LOADED, OFFLINE, 0, load_with_range, OWN, NULL, RANGE, 0 },
	{ "unload driver", UNBOUND, LOADED, 0, unload_driver, OWN, NULL, BOTH, 0 },
	{ "unload core", LOADED, UNLOADED, 0, unload_core, OWN, NULL, PCI, 0 },
	{ "bind", UNBOUND, OFFLINE, 0, bind_device, OWN, NULL, BOTH, 0 },
	{ "read attributes", OFFLINE, OFFLINE, 0, read_attributes, OWN, NULL, BOTH, 0 },
	{ "set zone", OFFLINE, OFFLINE, 0, set_zone, OWN, NULL, PCI, 0 },
	{ "set node", OFFLINE, OFFLINE, 0, set_node, OWN, NULL, PCI, 0 },
	{ "set memmap_on_memory", OFFLINE, OFFLINE, 0, set_memmap, OWN, NULL, PCI, 0 },
	{ "unbind", OFFLINE, UNBOUND, 0, unbind_device, OWN, NULL, BOTH, 0 },
	{ "system", OFFLINE, SYSTEM, 0, mode_system, OWN, NULL, BOTH, 0 },
	{ "online", SYSTEM, ONLINE, 0, online_blocks, OWN, NULL, PCI, 0 },
	{ "online, notifiers", SYSTEM, ONLINE, 0, online_blocks, NOTIFIERS, NULL, PCI, 0 },
	{ "offline", SYSTEM, OFFLINE, 0, mode_offline, OWN, NULL, PCI, 0 },
	{ "offline with data", ONLINE, OFFLINE, 0, mode_offline, OWN, NULL, PCI, 0 },
	{ "offline with data, thread", ONLINE, OFFLINE, 0, mode_offline, SLAB, CREATOR, PCI, 0 },
	{ "offline with data, slab", ONLINE, OFFLINE, 0, mode_offline, SLAB, WORKER, PCI, 0 },
	{ "offline with data, pages", ONLINE, OFFLINE, 0, mode_offline, PAGES, WORKER, PCI, 0 },
	{ "offline with data, notifiers", ONLINE, OFFLINE, 0, mode_offline, NOTIFIERS, NULL, PCI, 0 },
	{ "unbind with data", ONLINE, UNBOUND, ORPHAN, unbind_device, OWN, NULL, PCI, 0 },
	{ "unbind with data, slab", ONLINE, UNBOUND, ORPHAN, unbind_device, SLAB, WORKER, PCI, 0 },
	{ "unbind with data, notifiers", ONLINE, UNBOUND, ORPHAN, unbind_device, NOTIFIERS, NULL, PCI, 0 },
	{ "adopt", ORPHAN, ONLINE, 0, bind_device, OWN, NULL, PCI, 0 },
	{ "remove_range with data", ONLINE, UNBOUND, 0, unbind_device, OWN, NULL, RANGE, 0 },
	{ "remove_range with data, slab", ONLINE, UNBOUND, 0, unbind_device, SLAB, WORKER, RANGE, 0 },
	{ "driver", OFFLINE, DRIVER, 0, mode_driver, OWN, NULL, BOTH, 0 },
	{ "driver to offline", DRIVER, OFFLINE, 0, mode_offline, OWN, NULL, BOTH, 0 },
	{ "system to driver", SYSTEM, DRIVER, 0, mode_driver, OWN, NULL, BOTH, OFFLINE },
	{ "driver to system", DRIVER, SYSTEM, 0, mode_system, OWN, NULL, BOTH, OFFLINE },
	{ "move in", DRIVER, STOCKED, 0, move_in, OWN, NULL, BOTH, MIXED },
	{ "move in, helper's pages", DRIVER, STOCKED, 0, move_in, PAGES, HELPER, BOTH, MIXED },
	{ "create", DRIVER, CREATED, 0, create, OWN, NULL, BOTH, MIXED },
	{ "residency", STOCKED, STOCKED, 0, ask_where, OWN, NULL, BOTH, 0 },
	{ "move out", STOCKED, DRIVER, 0, move_out, OWN, NULL, BOTH, MIXED },
	{ "move out, helper's pages", STOCKED, DRIVER, 0, move_out, PAGES, HELPER, BOTH, MIXED },
	{ "evict", FULL, EVICTED, 0, move_in, OWN, NULL, BOTH, MIXED },
	{ "leave with data", STOCKED, OFFLINE, 0, mode_offline, OWN, NULL, BOTH, MIXED },
	{ "leave with data, helper's pages", STOCKED, OFFLINE, 0, mode_offline, PAGES, HELPER, BOTH, MIXED },
	{ "unbind in mode driver", STOCKED, UNBOUND, 0, unbind_device, OWN, NULL, BOTH, MIXED },
	{ "cma", OFFLINE, CMA, 0, enter_cma, OWN, NULL, BOTH, 0 },
	{ "online in mode cma", CMA, LENT, 0, online_blocks, OWN, NULL, BOTH, 0 },
	{ "online in mode cma, notifiers", CMA, LENT, 0, online_blocks, NOTIFIERS, NULL, BOTH, 0 },
	{ "claim", LENT, CLAIMED, 0, claim, OWN, NULL, BOTH, 0 },
	{ "release", CLAIMED, LENT, 0, release, OWN, NULL, BOTH, 0 },
	{ "lend off", LENT, KEPT, 0, lend_off, OWN, NULL, BOTH, 0 },
	{ "claim what is kept", KEPT, CLAIMED_KEPT, 0, claim, OWN, NULL, BOTH, 0 },
	{ "lend on", KEPT, LENT, 0, lend_on, OWN, NULL, BOTH, 0 },
	{ "leave mode cma", LENT, OFFLINE, 0, mode_offline, OWN, NULL, BOTH, 0 },
	{ "leave mode cma, slab", LENT, OFFLINE, 0, mode_offline, SLAB, WORKER, BOTH, 0 },
	{ "unbind in mode cma", LENT, UNBOUND, ORPHAN, unbind_device, OWN, NULL, BOTH, 0 },
};

/* So that the kernel's log says what a complaint in it came from. */
static void mark(const struct operation *op, unsigned long point)
{
	char line[128];

	snprintf(line, sizeof(line), "<7>faults: %s, %lu\n", op->name, point);
	attr_write("/dev/kmsg", line);
}

/* What has come of it; true if that is as it should be. */
static bool check(const struct operation *op, unsigned long point, int rc)
{
	enum state now = look();

	if (counts_are_wrong || !contents_are_right()) {
		note("%s, %lu: %s", op->name, point,
		     counts_are_wrong ? "the numbers do not add up" : "data is lost");
		return false;
	}
	if (rc ? now == op->from || (op->halfway && now == op->halfway) :
		 now == op->to || (op->or_else && now == op->or_else))
		return true;
	note("%s, %lu: from %s, with %s: %s", op->name, point, states[op->from].name,
	     rc ? strerror(-rc) : "success", states[now].name);
	return false;
}

static bool try_point(const struct operation *op, unsigned long point, bool *failed)
{
	int rc;

	go_to(op->from);
	if (op->run == move_in)
		make_huge();
	mark(op, point);
	arm(op->means, point);
	rc = op->run();
	*failed = disarm(op->means, point);
	if (!check(op, point, rc))
		return false;

	if (rc) {
		rc = op->run();
		if (rc)
			note("%s, %lu: another try: %s", op->name, point, strerror(-rc));
		return !rc && check(op, point, 0);
	}
	return true;
}

static enum group group_of(const struct operation *op)
{
	if (is_based_on(op->from, CMA) || is_based_on(op->to, CMA))
		return MODE_CMA;
	if (is_based_on(op->from, DRIVER) || is_based_on(op->to, DRIVER))
		return MODE_DRIVER;
	return is_based_on(op->from, ONLINE) ? WITH_DATA : PLAIN;
}

static unsigned long next_point(const struct operation *op, unsigned long point)
{
	if (all_points)
		return point + 1;
	if (group_of(op) != PLAIN)
		return point < DENSE_WITH_DATA ? point + 1 : point * 2;
	return point < DENSE ? point + 1 : point + point / 2;
}

static void sweep(const struct operation *op)
{
	unsigned long point, last = op->means == NOTIFIERS ? 2 : -1ul, tried = 0;
	bool failed = true, good = true;
	time_t start = time(NULL);

	/* A module's functions have addresses only while it is loaded. */
	go_to(op->from);
	if (op->within)
		stack_filter("require", op->within);
	for (point = 1; point <= last; point = next_point(op, point)) {
		good = try_point(op, point, &failed);
		if (!failed || !good)
			break;
		tried++;
	}
	/* The count has moved on by an unknown step; a failure makes it known again. */
	while (good && !failed && (op->means == SLAB || op->means == PAGES) && tried) {
		bool hit;

		good = try_point(op, point, &hit);
		failed = hit;
	}
	if (op->within)
		no_stack_filter("require");
	/* Without a stack that it is looked for in, nothing has been tried. */
	if (op->within && !tried)
		good = false;
	note("%s %s: %lu injections, %ld s", good ? "ok" : "not ok", op->name, tried,
	     time(NULL) - start);
	if (!good)
		exit(1);
}

static bool wanted(const struct operation *op, char **names)
{
	if (op->devices != BOTH && (op->devices == RANGE) != is_range)
		return false;
	/* A range that is smaller than a block is for mode "driver" only. */
	if (!nr_blocks && (op->from == SYSTEM || op->to == SYSTEM))
		return false;
	if (!*names)
		return group_of(op) == group;
	for (; *names; names++)
		if (!strcmp(*names, op->name))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	size_t i;
	int option;

	while ((option = getopt(argc, argv, "admcp:")) != -1) {
		if (option == 'a')
			all_points = true;
		else if (option == 'd')
			group = WITH_DATA;
		else if (option == 'm')
			group = MODE_DRIVER;
		else if (option == 'c')
			group = MODE_CMA;
		else if (option == 'p')
			bystander = atoi(optarg);
		else
			return 2;
	}
	argv += optind;
	if (!argv[0] || !argv[1])
		errx(2, "usage: faults [-a] [-d|-m|-c] [-p PID] pci ADDRESS | range START SIZE [OPERATION...]");
	is_range = !strcmp(argv[0], "range");
	address = argv[1];
	argv += 2;
	if (is_range) {
		if (!argv[0])
			errx(2, "a range has a size");
		snprintf(range_start, sizeof(range_start), "%s", address);
		snprintf(range_words, sizeof(range_words), "%s %s", address, *argv++);
	}

	set_up_injection();
	/* What the core needs; it cannot be unloaded once it has offered a device. */
	if (!module_is_loaded("cxlmem_heap"))
		must(load("cxlmem_heap", ""), "cxlmem_heap");
	go_to(OFFLINE);
	find_blocks();
	go_to(UNLOADED);
	make_areas();
	for (i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if (wanted(&operations[i], argv))
			sweep(&operations[i]);
	go_to(UNLOADED);
	return 0;
}
