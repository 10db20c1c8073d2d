/* SPDX-License-Identifier: LGPL-2.1 */
/* What the files of libcxlmem share. */
#ifndef CXLMEM_PRIVATE_H
#define CXLMEM_PRIVATE_H

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cxlmem/libcxlmem.h>

#define EXPORT		__attribute__((visibility("default")))
#define PRINTF(f, a)	__attribute__((format(printf, f, a)))

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* Attributes are short lines; longer ones are not ours and are refused. */
#define ATTR_LEN	256
#define NAME_LEN	64

struct cxlmem_ctx {
	int refs;
	int root;			/* what all paths are relative to: "/", but for tests */
	bool fake;			/* it is not "/" */
	bool scanned;			/* devices have been read */
	char *error;			/* NULL until something fails */
	struct cxlmem_device *devices;
	uint64_t block_size;		/* of memory hotplug, 0 until asked for */
};

/* ---- error.c ---- */

/* Sets the error text; returns -@err. */
int fail(struct cxlmem_ctx *ctx, int err, const char *fmt, ...) PRINTF(3, 4);

/* ---- parse.c ---- */

/* A number without sign, blanks or anything after it. 0, -EINVAL or -ERANGE. */
int parse_u64(const char *text, int base, uint64_t *value);
/* The same, in decimal, or hexadecimal after 0x. */
int parse_number(const char *text, uint64_t *value);
/* "0d:00.0" or "0000:0d:00.0" in any case to the kernel's spelling. 0 or -EINVAL. */
int parse_pci(const char *text, char *name, size_t size);
/* "cxlmem12" with @prefix "cxlmem" to 12. 0 or -EINVAL. */
int parse_suffix(const char *name, const char *prefix, uint64_t *number);

/* A set of NUMA nodes, in the kernel's notation "0-1,4". */
#define MAX_NODES 1024
struct nodes {
	uint64_t bits[MAX_NODES / 64];
};

int parse_nodes(const char *text, struct nodes *nodes);
bool nodes_has(const struct nodes *nodes, int node);

/* ---- sysfs.c: reading, all paths relative to the root ---- */

/* Reads a line into @buf, without its end. Its length, or -errno: -EFBIG if it does not fit. */
int sysfs_read(struct cxlmem_ctx *ctx, char *buf, size_t size, const char *fmt, ...) PRINTF(4, 5);
int sysfs_read_number(struct cxlmem_ctx *ctx, uint64_t *value, const char *fmt, ...) PRINTF(3, 4);
int sysfs_read_nodes(struct cxlmem_ctx *ctx, struct nodes *nodes, const char *fmt, ...)
	PRINTF(3, 4);
bool sysfs_exists(struct cxlmem_ctx *ctx, const char *fmt, ...) PRINTF(2, 3);
/* The last part of a link's target. 0 or -errno. */
int sysfs_link(struct cxlmem_ctx *ctx, char *name, size_t size, const char *fmt, ...)
	PRINTF(4, 5);
/* The last but one part of it: the parent of what it points to. */
int sysfs_link_parent(struct cxlmem_ctx *ctx, char *name, size_t size, const char *fmt, ...)
	PRINTF(4, 5);
/* Calls @fn for each entry of a directory until it returns non-zero, which is returned. */
int sysfs_each(struct cxlmem_ctx *ctx, const char *dir, int (*fn)(const char *name, void *data),
	       void *data);
/* A whole small file as a string that the caller frees. NULL with errno set on failure. */
char *sysfs_read_all(struct cxlmem_ctx *ctx, const char *path, size_t max);
/* Writes; the errno says how it went. Like all writing it ends in attr_write(). */
int sysfs_write(struct cxlmem_ctx *ctx, const char *value, const char *fmt, ...) PRINTF(3, 4);

/* ---- write.c ---- */

/* The one place that writes to the kernel. 0 or -errno. Safe to call after fork(). */
int attr_write(int root, const char *path, const char *value);

/* ---- device.c ---- */

struct range {
	uint64_t start;
	uint64_t size;
};

/* On a clock that nobody sets. */
static inline uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static inline bool in_range(const struct range *range, uint64_t address)
{
	return address >= range->start && address - range->start < range->size;
}

struct transition;

/* What is special to devices of the cxlmem driver, and to dax devices. */
struct backend {
	const char *kind;		/* "cxlmem" or "dax" */
	const char *class;		/* directory that lists them */
	const char *prefix;		/* of their names, a number follows */
	int (*read)(struct cxlmem_device *dev);
	/* Set what the mode is entered with; in the modes that have something to set, that. */
	int (*configure)(struct transition *t);
	/* Make memory blocks of it, for mode "system" or "cma", or take away those that are all offline or can be made so. */
	int (*add)(struct transition *t, const char *mode);
	int (*remove)(struct transition *t);
	/* Mode "driver"; only for those that have it. */
	int (*hand_out)(struct transition *t);
};

extern const struct backend backend_cxlmem;
extern const struct backend backend_dax;

struct cxlmem_device {
	struct cxlmem_ctx *ctx;
	struct cxlmem_device *next;
	const struct backend *backend;
	uint64_t number;		/* what follows the prefix, for the order */
	char name[NAME_LEN];
	char dir[2 * NAME_LEN];		/* relative to the root */

	char parent[NAME_LEN];
	char driver[NAME_LEN];
	char mode[NAME_LEN];
	char modes[ATTR_LEN];
	char zone[NAME_LEN];
	char source[NAME_LEN];
	const char *bad;		/* attribute that makes no sense, NULL if all do */
	uint64_t serial;
	struct range range;
	struct range usable;		/* the whole memory blocks in it */
	int node;
	int memmap;

	char policy[NAME_LEN];		/* of mode "driver"; "" if the driver has none */
	int64_t quota;			/* -1 if the driver has none */
	uint64_t capacity;		/* bytes, 0 in another mode */
	uint64_t handed_out;		/* bytes of them */
	int lend;			/* of mode "cma"; -1 if the driver has none */
	uint64_t claimed;		/* bytes, 0 in another mode */
	uint64_t taking;		/* bytes, 0 in another mode */
	uint64_t unused;		/* bytes that nobody uses in mode "cma" */

	uint64_t online;		/* bytes of memory blocks, by their state */
	uint64_t offline;

	bool blocks_known;		/* the two above mean something */

	bool node_read;			/* the rest has been read */
	int64_t used;
	int64_t latency;
	int64_t bandwidth;
	int distance;
	int tier;
};

/* The device with this range, or that belongs to this parent; NULL if there is none. */
struct cxlmem_device *device_at(struct cxlmem_ctx *ctx, uint64_t start, uint64_t size);
struct cxlmem_device *device_of(struct cxlmem_ctx *ctx, const char *parent);
bool device_has_blocks(const struct cxlmem_device *dev);
bool device_is_lent(const struct cxlmem_device *dev);
bool device_has_mode(struct cxlmem_device *dev, const char *mode);
/* All but the memory blocks, which cxlmem_device_refresh() reads, too. */
int device_read_attributes(struct cxlmem_device *dev);
/* Fails with the reason if the kernel's attributes make no sense. */
int device_check(struct cxlmem_device *dev);

/* ---- node.c ---- */

void node_read(struct cxlmem_device *dev);
/* The nodes with memory that are no device's. 0 or -errno. */
int node_hosts(struct cxlmem_ctx *ctx, struct nodes *hosts);
/* Distances of all nodes (MAX_NODES) from one; -1 where the kernel tells none. */
void node_distances(struct cxlmem_ctx *ctx, int from, int *distance);
/* Free and reclaimable memory on the nodes that are no device's. 0 or -errno. */
int node_host_available(struct cxlmem_ctx *ctx, uint64_t *bytes);

/* ---- block.c ---- */

enum block_state {
	BLOCK_ABSENT,
	BLOCK_OFFLINE,
	BLOCK_ONLINE,
};

struct block {
	uint64_t index;
	enum block_state state;
};

struct blocks {
	uint64_t size;			/* of one block, bytes */
	size_t nr;
	struct block *v;		/* freed with free() */
};

/* Size of memory blocks; 0 if the kernel has no memory hotplug. */
uint64_t block_size(struct cxlmem_ctx *ctx);
/* All memory blocks of a device that exist. 0 or -errno. */
int blocks_read(struct cxlmem_device *dev, struct blocks *blocks);
enum block_state block_read(struct cxlmem_ctx *ctx, uint64_t index);
/* True if an online block is in ZONE_MOVABLE. */
bool block_is_movable(struct cxlmem_ctx *ctx, uint64_t index);

/* ---- online.c ---- */

/*
 * Online all blocks in a zone, or offline all. At the first failure those that
 * have been changed are put back, unless the options say partial. Both return
 * an enum cxlmem_result or -errno.
 */
int blocks_online(struct transition *t, const char *zone);
int blocks_offline(struct transition *t);
/* Tells the caller of a block that has failed. Without a reason, it is looked for. */
void event_block(struct transition *t, uint64_t index, const char *reason);

/* ---- lock.c ---- */

/* Waits until nobody else works on the device. A file to close, or -errno. */
int lock_device(struct transition *t);

/* ---- kmsg.c: the kernel's log since a moment ---- */

struct kmsg {
	int fd;				/* -1 if it cannot be read */
	size_t nr;
	char **lines;			/* text without time and level */
};

void kmsg_open(struct cxlmem_ctx *ctx, struct kmsg *kmsg);
/* Takes in what has been logged since. */
void kmsg_collect(struct kmsg *kmsg);
void kmsg_close(struct kmsg *kmsg);
/* Splits what a read of /dev/kmsg returned into lines and adds them. */
void kmsg_parse(struct kmsg *kmsg, char *text);

/* A failed offlining, as far as the kernel has logged it. */
struct offline_failure {
	uint64_t address;		/* of the page or the block that it was about */
	char reason[NAME_LEN];		/* in the kernel's words */
	char type[NAME_LEN];		/* of the page, such as "slab", or "" */
	char file[NAME_LEN];		/* that the page belongs to, or "" */
	uint64_t references;		/* to the page, 0 if not known */
};

/* The last failure inside the range; false if none was logged. */
bool kmsg_offline_failure(const struct kmsg *kmsg, uint64_t start, uint64_t size,
			  struct offline_failure *failure);
/* The kernel's reason in plain words with what to do about it. */
const char *kmsg_explain(const char *reason);

/* ---- held.c ---- */

/* How pages are kept from being moved, from what may pass to what lasts. */
enum hold {
	HELD,				/* by I/O, or the kernel */
	FIXED,				/* since their file system does not know how */
	PINNED,				/* for a device's DMA */
};

struct held_pages {
	struct range range;
	enum hold how;
	char file_system[NAME_LEN];	/* type of that of fixed ones, or "" */
};

/* Pages that cannot be moved, though they are not the kernel's own. */
struct held {
	size_t nr;
	struct held_pages *v;		/* freed with free() */
};

/* Those of a device; none if the kernel does not tell. */
void held_read(struct cxlmem_device *dev, struct held *held);
/*
 * Forgets those outside of a range, and those that are kept in no way of @hows, such as
 * 1u << HELD. Returns the bytes that are left.
 */
uint64_t held_keep(struct held *held, const struct range *range, unsigned int hows);
bool is_held(const struct held *held, uint64_t address);

/* ---- who.c ---- */

/* A process that has mapped pages of a range. */
struct mapper {
	pid_t pid;
	uint64_t bytes;
	uint64_t huge;			/* of them, mapped as huge pages */
	uint64_t held;			/* of them, held by somebody */
};

/* Calls @found for each such process until it returns non-zero, which is returned. */
int who_maps(struct cxlmem_ctx *ctx, const struct range *range, const struct held *held,
	     int (*found)(const struct mapper *mapper, void *data), void *data);

/* ---- obstacle.c ---- */

/* Why a block does not come free, and what to do about it. */
struct obstacle {
	char reason[1024];
	char remedy[512];		/* "" if nobody knows */
};

/* What would keep a range of the device's memory in use. False if nothing is known to. */
bool obstacle_foresee(struct transition *t, const struct range *range, struct obstacle *obstacle);
/* What has kept it in use: that, or what is likely after it has been tried. */
bool obstacle_find(struct transition *t, const struct range *range, struct obstacle *obstacle);

/* ---- pages.c ---- */

/* Writes the kinds of pages in a range with amounts; "" if it cannot be read. */
void pages_describe(struct cxlmem_ctx *ctx, uint64_t start, uint64_t size, char *text,
		    size_t text_size);

/* Of what kind the pages of a range are. */
struct pages {
	uint64_t in_use;		/* bytes */
	uint64_t unmovable;		/* the kernel can never move these */
	uint64_t huge;			/* those in use that are in huge pages of any kind */
	uint64_t hugetlb;
	uint64_t poisoned;
	uint64_t kernel;		/* address of the first unmovable one */
	uint64_t poison;		/* of the first poisoned one */
};

/* False if it cannot be read. */
bool pages_count(struct cxlmem_ctx *ctx, uint64_t start, uint64_t size, struct pages *pages);
/* For looking at single pages: to be closed with close(); -1 if it cannot be had. */
int pages_open(struct cxlmem_ctx *ctx);
/* True if KSM has merged it. */
bool page_is_merged(int kpageflags, uint64_t address);

/* ---- transition.c ---- */

/* What a device is set to. */
struct settings {
	char zone[NAME_LEN];
	int node;
	int memmap;
	char policy[NAME_LEN];		/* for mode "driver" */
	int64_t quota;			/* for it, and for mode "cma" */
	int lend;			/* for mode "cma" */
};

/* One operation on one device, from taking the lock to giving it back. */
struct transition {
	struct cxlmem_ctx *ctx;
	struct cxlmem_device *dev;
	struct cxlmem_options opt;
	char was[NAME_LEN];		/* mode at the beginning */
	struct settings old;
	struct settings want;
	struct kmsg kmsg;
	int lock;
	uint64_t done;			/* bytes, while blocks are worked on one by one */
	uint64_t total;
	bool stopped;			/* the caller's event function has said stop */
	bool undoing;			/* in a rollback, which is not stopped */
	bool touched;			/* something has been done that may have been undone */
};

int transition_begin(struct transition *t, struct cxlmem_device *dev,
		     const struct cxlmem_options *options);
/* Gives the lock back. @rc is how it went; returns it. */
int transition_end(struct transition *t, int rc);
bool dry_run(const struct transition *t);

/* ---- mode.c ---- */

bool mode_is_known(const char *name);
/* Brings the device to mode "offline". As cxlmem_device_set_mode(). */
int leave_mode(struct transition *t);
/* Empties a device in mode "driver", which it is in again afterwards. */
int empty_driver(struct transition *t);

/* ---- event.c ---- */

void options_copy(struct cxlmem_options *to, const struct cxlmem_options *from);
/* Each hands one event to the caller; true if the operation is to stop. */
bool event_text(struct transition *t, enum cxlmem_event_type type, const char *fmt, ...)
	PRINTF(3, 4);
bool event_progress(struct transition *t, const char *text, uint64_t done, uint64_t total);
bool event_send(struct transition *t, const struct cxlmem_event *event);
/* Hands over the lines of the kernel's log that mention any of two words. */
void event_kernel_log(struct transition *t, const char *word, const char *other);

/* ---- policy.c ---- */

struct policy {
	bool held;
	char former[NAME_LEN];
};

/* Keeps the kernel from putting new memory into a kernel zone, until released. 0 or -errno. */
int policy_hold(struct transition *t, const char *wanted, struct policy *policy);
void policy_release(struct transition *t, const struct policy *policy);

/* ---- foretell.c ---- */

/* Refuses if the rest of the machine cannot hold what is on the device. 0 or -ENOSPC. */
int check_room(struct transition *t);
/* Says that parts of it are claimed. Returns -EBUSY. */
int refuse_claimed(struct cxlmem_device *dev);
/* For a dry run: what is there, how long it takes to move it, and what would not move now. */
void foretell_evacuation(struct transition *t);

/* ---- clear.c ---- */

/*
 * Moves what processes have on the device to other nodes, as far as that is easy;
 * what is left is the offlining's. 0, or -EINTR if it was stopped.
 */
int clear_of_processes(struct transition *t);
/* How many threads that has. */
size_t clear_jobs(const struct transition *t);

/* ---- estimate.c ---- */

/* About how long it takes to move these pages off the device; -1 if that cannot be told. */
double estimate_seconds(const struct transition *t, const struct pages *pages);

/* ---- memory.c ---- */

/*
 * Goes through all of sum->start and sum->length by requests for what is left,
 * and adds up what became of it. 0 or -errno.
 */
int go_through(int (*request)(void *data, struct cxlmem_move *part), void *data,
	       struct cxlmem_move *sum);
/* Adds up counts, and how far it came. */
void add_move(struct cxlmem_move *sum, const struct cxlmem_move *part);
/* Copies what fits into the caller's structure, which may be older or newer. */
void give_move(struct cxlmem_move *result, const struct cxlmem_move *sum);

/* ---- process.c ---- */

/* A number in /proc/PID/status, in the first column after its name. 0 or -errno. */
int process_number(struct cxlmem_ctx *ctx, pid_t pid, const char *name, uint64_t *value);
/* Documentation/admin-guide/mm/pagemap.rst */
#define PAGE_PRESENT	(1ull << 63)
#define PAGE_PFN	((1ull << 55) - 1)

struct mapped_page {
	uint64_t at;			/* where the process has it */
	uint64_t address;		/* in physical memory; 0 if the kernel does not tell */
	bool huge;			/* it is a part of a page that is mapped as a huge one */
};

/* Its page map, to be closed with close(); -1 if it cannot be had. */
int process_open_pagemap(struct cxlmem_ctx *ctx, pid_t pid);
/* Calls @fn for each page that is there until it returns non-zero, which is returned. */
int process_each_page(int pagemap, uint64_t start, uint64_t end,
		      int (*fn)(const struct mapped_page *page, void *data), void *data);
/* The CPU that it has last run on. 0 or -errno. */
int process_cpu(struct cxlmem_ctx *ctx, pid_t pid, uint64_t *cpu);
/* Its cgroup's path, of the unified hierarchy. 0 or -errno. */
int process_cgroup(struct cxlmem_ctx *ctx, pid_t pid, char *path, size_t size);
/* True if it may have memory on this node only, by a cpuset or a memory policy. */
bool process_is_bound(struct cxlmem_ctx *ctx, pid_t pid, int node);
/* Names what it has that can hold pages, such as "io_uring"; "" for nothing. */
void process_means(struct cxlmem_ctx *ctx, pid_t pid, char *text, size_t size);
/* Calls @fn for each mapping of a process until it returns non-zero, which is returned. */
int process_each_mapping(struct cxlmem_ctx *ctx, pid_t pid,
			 int (*fn)(uint64_t start, uint64_t end, void *data), void *data);

/* ---- supervise.c ---- */

/*
 * Writes to an attribute that may take long. While it does, @progress (may be
 * NULL) reads how far it is. Stops it with a signal if the caller says so
 * (-EINTR) or if it makes no progress for too long (-ETIMEDOUT).
 */
int supervised_write(struct transition *t, const char *path, const char *value, const char *doing,
		     bool (*progress)(struct transition *t, uint64_t *done, uint64_t *total));

/* ---- lazy.c: libraries that are loaded when first needed ---- */

/*
 * "cxlmemctl list" has to be fast and needs none of these; two of them bring
 * libcrypto along, which takes longer to load than listing takes. @api is a
 * struct of function pointers, in the order of @names.
 */
int lazy_load(struct cxlmem_ctx *ctx, const char *soname, const char *const *names, size_t nr,
	      void *api, size_t api_size);

#define LAZY_MEMBER(fn)	typeof(fn) *fn;
#define LAZY_NAME(fn)	#fn,
/* LAZY_LIBRARY(kmod, KMOD_FUNCTIONS, "libkmod.so.2") makes struct kmod and load_kmod(). */
#define LAZY_LIBRARY(lib, FUNCTIONS, soname)						\
	struct lib {									\
		FUNCTIONS(LAZY_MEMBER)							\
	};										\
	static int load_##lib(struct cxlmem_ctx *ctx, struct lib *api)			\
	{										\
		static const char *const names[] = { FUNCTIONS(LAZY_NAME) };		\
											\
		return lazy_load(ctx, soname, names, ARRAY_SIZE(names), api, sizeof(*api)); \
	}

/* ---- module.c ---- */

/* Loads a kernel module unless it is there. 0 or -errno with the reason. */
int module_load(struct cxlmem_ctx *ctx, const char *name);

/* ---- region.c ---- */

/* Name of an active CXL region that a memory device's PCI function takes part in. 1, 0, -errno. */
int region_of_function(struct cxlmem_ctx *ctx, const char *pci, char *name, size_t size);

/* ---- iomem.c ---- */

/* Names what holds a range of addresses, innermost first found. 1, 0 if nothing, -errno. */
int iomem_holder(struct cxlmem_ctx *ctx, uint64_t start, uint64_t size, char *name, size_t len);

/* ---- bind.c, pci.c, range.c ---- */

/*
 * When binding begins there is no device yet, so of the transition only the
 * context, the options and the kernel's log are set; adopt_device() sets the
 * device. All return 0, CXLMEM_ALREADY or -errno.
 */
int pci_bind(struct transition *t, const char *pci);
/* Whether a PCI function has CXL memory; only root can tell. 1, 0, or -errno. */
int pci_has_memory(struct cxlmem_ctx *ctx, const char *pci);
int pci_unbind(struct transition *t);
int range_bind(struct transition *t, uint64_t start, uint64_t size, int node);
/* The range of a dax device that the hmem driver made. */
int range_bind_dax(struct transition *t, struct cxlmem_device *dax);
int range_unbind(struct transition *t);

/* ---- cxlmem.c ---- */

/* Goes on with a device that has just been made, and sets its node. 0 or -errno. */
int adopt_device(struct transition *t, struct cxlmem_device *dev, int node);

#endif
