/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of cxlmem_core share. */
#ifndef CXLMEM_INTERNAL_H
#define CXLMEM_INTERNAL_H

#include <linux/atomic.h>
#include <linux/cdev.h>
#include <linux/cxlmem.h>
#include <linux/device.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/uidgid.h>
#include <linux/wait.h>

#include "compat.h"

#define CXLMEM_ERROR_LEN 256

struct cxlmem_cma;
struct cxlmem_coherent;
struct cxlmem_pool;
struct memory_dev_type;

/* The only zone that the guard lets memory blocks go online in. */
enum cxlmem_zone {
	CXLMEM_ZONE_MOVABLE,	/* can always be evacuated */
	CXLMEM_ZONE_KERNEL,	/* on request: may hold unmovable allocations */
	CXLMEM_NR_ZONES,
};

extern const char * const cxlmem_zone_names[CXLMEM_NR_ZONES];

/* What happens to a request in mode "driver" if the device is full. */
enum cxlmem_policy {
	CXLMEM_DENY,		/* it is refused */
	CXLMEM_EVICT,		/* the oldest pages move to the host */
	CXLMEM_NR_POLICIES,
};

extern const char * const cxlmem_policy_names[CXLMEM_NR_POLICIES];

/* What is counted in mode "driver", in pages, from the claim of the memory on. */
enum cxlmem_stat {
	CXLMEM_STAT_MOVED_IN,	/* moved to the device on request */
	CXLMEM_STAT_CREATED,	/* created there on request */
	CXLMEM_STAT_MOVED_OUT,	/* moved off it on request */
	CXLMEM_STAT_EVICTED,	/* made room for others */
	CXLMEM_STAT_EVACUATED,	/* moved off since the mode was left */
	CXLMEM_STAT_SPLIT,	/* 2 MiB pages that were split on their way in */
	CXLMEM_STAT_REFUSED,	/* found no room, or no quota */
	CXLMEM_NR_STATS,
};

/**
 * struct cxlmem_memory - a range of host physical memory that cxlmem holds
 * @id: its number, and its device's: "cxlmem<id>"
 * @name: that, as a string; names the resource
 * @orphan: in the list of orphans, while it has no device
 * @range: what the device decodes
 * @usable: the whole memory blocks in @range; of no length if there are none
 * @source: how the range was found
 * @res: the claim on @range in /proc/iomem
 * @mode: the mode it is in
 * @node: target node, NUMA_NO_NODE if there is none
 * @node_forced: @node has CPUs and the owner insists
 * @zone: what the guard goes by
 * @memmap_on_memory: the memmap goes on the memory itself
 * @group: memory group id, in the modes "system" and "cma"
 * @type: memory type that @node's tier is made by, in these modes
 * @guard: the memory notifier, in these modes
 * @oom: spares who is bound to @node while blocks leave, in these modes
 * @block_going: a memory block is going off line
 * @block_since: when that began, in jiffies
 * @block_gone: when one last went, in jiffies
 * @walking: held by who looks at pages of a block that is online
 * @policy: for a full device, in mode "driver"
 * @quota: bytes that a user may have, in the modes "driver" and "cma"; 0 for no limit
 * @coherent: what mode "driver" needs, NULL in the others
 * @stats: what it has done so far
 * @lend: the OS may use what nobody has claimed, in mode "cma"
 * @cma: what mode "cma" needs, NULL in the others
 * @leaving: an evacuation is under way
 * @blocks_total: memory blocks that were online at its beginning
 * @blocks_done: memory blocks that it has offlined
 * @wait: woken whenever a block has gone, and at the end of an evacuation; and
 *	  by whoever wants one to stop
 *
 * This is apart from struct cxlmem_device since memory that cannot be
 * evacuated outlives its device: it then waits, still guarded, for the next
 * probe of the same range to adopt it.
 */
struct cxlmem_memory {
	int id;
	char name[20];
	struct list_head orphan;
	struct range range;
	struct range usable;
	enum cxlmem_source source;
	struct resource *res;

	const struct cxlmem_mode *mode;
	int node;
	bool node_forced;
	enum cxlmem_zone zone;
	bool memmap_on_memory;

	int group;
	struct memory_dev_type *type;
	struct notifier_block guard;
	struct notifier_block oom;
	bool block_going;
	unsigned long block_since;
	unsigned long block_gone;
	struct mutex walking;

	enum cxlmem_policy policy;
	u64 quota;
	struct cxlmem_coherent *coherent;
	atomic64_t stats[CXLMEM_NR_STATS];

	bool lend;
	struct cxlmem_cma *cma;

	bool leaving;
	int blocks_total;
	atomic_t blocks_done;
	wait_queue_head_t wait;
};

/**
 * struct cxlmem_device - the class device, the memory's face in sysfs
 * @dev: the device; its parent is the function or platform device
 * @chardev: /dev/cxlmemN
 * @mem: the memory; valid as long as @dev is registered, or to who holds @use
 *	 and has seen that the device is not @removed
 * @serial: serial number, 0 if there is none
 * @ops: the registering driver's callbacks, may be NULL
 * @drvdata: what they are called with
 * @lock: one transition or setting at a time; guards @mem's mode and settings
 * @use: held for reading by who works with &cxlmem_memory.coherent, one piece
 *	 at a time, or looks for &cxlmem_memory.cma; taken inside of an mmap_lock
 * @removed: cxlmem_unregister() has begun, which stops a transition
 * @broken: the device has reported an error and has not recovered; stops one, too
 * @going_to: the mode that a transition under way leads to, else NULL
 * @error_lock: guards @error and @device_error
 * @error: why the last write to an attribute was refused
 * @device_error: what the device has reported and what came of it; written with
 *		  @lock held
 */
struct cxlmem_device {
	struct device dev;
	struct cdev chardev;
	struct cxlmem_memory *mem;
	u64 serial;
	const struct cxlmem_ops *ops;
	void *drvdata;
	struct mutex lock;
	struct rw_semaphore use;
	bool removed;
	bool broken;
	const struct cxlmem_mode *going_to;
	struct mutex error_lock;
	char error[CXLMEM_ERROR_LEN];
	char device_error[2 * CXLMEM_ERROR_LEN];
};

#define to_cxlmem_device(d) container_of(d, struct cxlmem_device, dev)

/*
 * Its memory must go at once: a transition that is under way stops, and evacuation is
 * tried even if the host is short of room, but not forever.
 */
static inline bool cxlmem_is_urgent(const struct cxlmem_device *cdev)
{
	return READ_ONCE(cdev->removed) || READ_ONCE(cdev->broken);
}

/**
 * struct cxlmem_mode - a mode: one file, and one row in mode.c
 * @name: as users write it
 * @enter: from "offline" into this mode; changes nothing if it fails
 * @leave: back to "offline"; changes nothing if it fails. Sets the number of
 *	   bytes that were in use.
 * @progress: how far leaving has come, in bytes; called with &cxlmem_device.use
 *	      held, and maybe when leaving is over
 *
 * The first two are called with &cxlmem_device.lock held.
 */
struct cxlmem_mode {
	const char *name;
	int (*enter)(struct cxlmem_device *cdev);
	int (*leave)(struct cxlmem_device *cdev, u64 *evacuated);
	void (*progress)(const struct cxlmem_memory *mem, u64 *done, u64 *total);
};

/* mode.c */
extern const struct cxlmem_mode cxlmem_mode_offline;
extern const struct cxlmem_mode * const cxlmem_modes[];
extern const int cxlmem_nr_modes;
int cxlmem_switch_mode(struct cxlmem_device *cdev, const struct cxlmem_mode *to);

/* system.c */
extern const struct cxlmem_mode cxlmem_mode_system;
int cxlmem_add_blocks(struct cxlmem_device *cdev, bool memmap_on_memory);
void cxlmem_release_node(struct cxlmem_memory *mem);
void cxlmem_blocks_progress(const struct cxlmem_memory *mem, u64 *done, u64 *total);
void cxlmem_system_exit(void);

/* contents.c */
extern const struct attribute_group cxlmem_contents_group;
void cxlmem_contents_wait(struct cxlmem_memory *mem);

/* evacuate.c */
int cxlmem_offline_and_remove(struct cxlmem_device *cdev, u64 *evacuated);
int cxlmem_spare_bound_processes(struct notifier_block *oom, unsigned long unused, void *freed);
void cxlmem_evacuate_exit(void);
u64 cxlmem_host_room(int except);
unsigned int cxlmem_remove_timeout(void);

/* What the modes manage their memory by: a huge page, and the pages in it. */
#define CXLMEM_BLOCK		SZ_2M
#define CXLMEM_BLOCK_PAGES	(CXLMEM_BLOCK / PAGE_SIZE)

/**
 * struct cxlmem_claim - who wants pages, and how many he may have in all
 * @uid: the user
 * @limit: pages, ULONG_MAX for no limit
 */
struct cxlmem_claim {
	kuid_t uid;
	unsigned long limit;
};

/* pool.c */
struct cxlmem_pool *cxlmem_pool_create(unsigned long first, unsigned long pages);
void cxlmem_pool_destroy(struct cxlmem_pool *pool);
unsigned long cxlmem_pool_pages(const struct cxlmem_pool *pool);
unsigned long cxlmem_pool_used(const struct cxlmem_pool *pool);
unsigned long cxlmem_pool_used_by(struct cxlmem_pool *pool, kuid_t uid);
bool cxlmem_pool_has(const struct cxlmem_pool *pool, unsigned long pfn);
unsigned long cxlmem_pool_take(struct cxlmem_pool *pool, const struct cxlmem_claim *claim,
			       unsigned long n, unsigned long *pfns);
void cxlmem_pool_free(struct page *page);
void cxlmem_pool_retire(struct cxlmem_pool *pool, unsigned long pfn);
unsigned long cxlmem_pool_oldest(struct cxlmem_pool *pool);
unsigned int cxlmem_pool_block_used(const struct cxlmem_pool *pool, unsigned long pfn);
unsigned long cxlmem_pool_example(struct cxlmem_pool *pool, kuid_t *uid);

/**
 * struct cxlmem_batch - what a thread needs to move up to a block of pages
 * @src: pages to move, as migrate_vma_setup() and the like want them
 * @dst: where to
 * @seen: what was at the addresses before
 * @pfns: pages of the device, taken
 * @fate: what is to become of the pages, see migrate.c
 * @copy: which contents go where
 * @counts: what has become of the pages of all batches of the thread
 */
struct cxlmem_batch {
	unsigned long src[CXLMEM_BLOCK_PAGES];
	unsigned long dst[CXLMEM_BLOCK_PAGES];
	unsigned long seen[CXLMEM_BLOCK_PAGES];
	unsigned long pfns[CXLMEM_BLOCK_PAGES];
	u8 fate[CXLMEM_BLOCK_PAGES];
	struct cxlmem_copy copy[CXLMEM_BLOCK_PAGES];
	struct cxlmem_counts counts;
};

/**
 * struct cxlmem_job - work on a range, to be done by several threads
 * @step: work on the piece that begins at @at; an error ends the job. -ENOSPC and
 *	  -EDQUOT are for a piece that was gone through all the same.
 * @finish: called by each thread before it goes; optional
 * @next: where the next piece begins; beforehand, where the range does
 * @end: where the range ends
 * @stride: length of a piece
 * @interruptible: a signal to the caller ends the job, with -EINTR
 * @error: the first error
 * @undone: the first piece that was not gone through because of it
 */
struct cxlmem_job {
	int (*step)(struct cxlmem_job *job, u64 at, struct cxlmem_batch *batch);
	void (*finish)(struct cxlmem_job *job, struct cxlmem_batch *batch);
	atomic64_t next;
	u64 end;
	u64 stride;
	bool interruptible;
	int error;
	atomic64_t undone;
};

/* work.c */
int cxlmem_work(struct cxlmem_job *job);
void cxlmem_work_skip(struct cxlmem_job *job, u64 to);
int cxlmem_work_init(void);
void cxlmem_work_exit(void);

/* coherent.c */
extern const struct cxlmem_mode cxlmem_mode_driver;

/* Whose the pages of all devices are in mode "driver": they can move from one to another. */
#define CXLMEM_PAGES_OWNER	((void *)&cxlmem_mode_driver)

struct cxlmem_coherent *cxlmem_coherent_get(struct cxlmem_device *cdev);
struct cxlmem_pool *cxlmem_coherent_pool(struct cxlmem_coherent *coherent);
struct page *cxlmem_coherent_page(struct cxlmem_coherent *coherent, unsigned long pfn);
void cxlmem_drain_cpus(void);

/* migrate.c */
int cxlmem_move_block_out(struct cxlmem_device *cdev, unsigned long pfn,
			  struct cxlmem_batch *batch, unsigned long *moved);

int cxlmem_check_range(u64 start, u64 length);
void cxlmem_forget_places(struct cxlmem_residency *sums);

/**
 * struct cxlmem_extent - a piece of the device that has been claimed, or is being
 * @list: in &cxlmem_cma.extents
 * @cma: where it is
 * @first: its first block
 * @blocks: how many
 * @offset: where it begins in the device's range, in bytes
 * @moved: bytes of the OS that were in its place
 * @obstacle: where something that cannot be moved is, as @offset; U64_MAX if nowhere
 * @pending: it is not there yet
 * @id: number of the dma-buf's inode, which no other one ever has; 0 while pending
 * @uid: whose it is
 * @pid: the process that has claimed it
 * @comm: its command
 */
struct cxlmem_extent {
	struct list_head list;
	struct cxlmem_cma *cma;
	unsigned long first;
	unsigned long blocks;
	u64 offset;
	u64 moved;
	u64 obstacle;
	bool pending;
	unsigned long id;
	kuid_t uid;
	pid_t pid;
	char comm[TASK_COMM_LEN];
};

/**
 * struct cxlmem_cma_state - how the memory is used in mode "cma", in bytes
 * @capacity: what is online
 * @lent: the OS has it, or may have it
 * @claimed: claims have it
 * @free: nobody uses it
 * @largest: the longest piece that nothing but pages of the OS is in
 * @taking: is just being taken from the OS
 */
struct cxlmem_cma_state {
	u64 capacity;
	u64 lent;
	u64 claimed;
	u64 free;
	u64 largest;
	u64 taking;
};

/* cma.c */
extern const struct cxlmem_mode cxlmem_mode_cma;
struct cxlmem_cma *cxlmem_cma_get(struct cxlmem_device *cdev);
int cxlmem_cma_notify(struct cxlmem_cma *cma, unsigned long action, unsigned long pfn,
		      unsigned long pages);
void cxlmem_cma_look(struct cxlmem_cma *cma, struct cxlmem_cma_state *state);
u64 cxlmem_cma_used_by(struct cxlmem_cma *cma, kuid_t uid);
void cxlmem_cma_offer(struct cxlmem_device *cdev);
int cxlmem_cma_lend(struct cxlmem_device *cdev, bool lend);
ssize_t cxlmem_cma_list(struct cxlmem_cma *cma, char *buf);
int cxlmem_extent_claim(struct cxlmem_device *cdev, struct cxlmem_extent *extent, u64 align,
			u32 flags);
void cxlmem_extent_settle(struct cxlmem_extent *extent, unsigned long id);
void cxlmem_extent_release(struct cxlmem_extent *extent);
struct page *cxlmem_extent_page(const struct cxlmem_extent *extent);

/* buffer.c */
void cxlmem_buffer_revoke(struct cxlmem_extent *extent);
struct task_struct *cxlmem_buffer_holder(const struct cxlmem_extent *extent);

/* chardev.c */
int cxlmem_chardev_add(struct cxlmem_device *cdev);
void cxlmem_chardev_del(struct cxlmem_device *cdev);
int cxlmem_chardev_init(void);
void cxlmem_chardev_exit(void);

/* refuse.c */
__printf(3, 4)
int cxlmem_refuse(struct cxlmem_device *cdev, int error, const char *format, ...);
void cxlmem_forget_error(struct cxlmem_device *cdev);

/* failure.c */
void cxlmem_forget_device_error(struct cxlmem_device *cdev);

/* sysfs.c */
extern const struct attribute_group *cxlmem_groups[];

static inline unsigned long to_mib(u64 bytes)
{
	return bytes >> 20;
}

#endif /* CXLMEM_INTERNAL_H */
