/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of cxlmem_core share. */
#ifndef CXLMEM_INTERNAL_H
#define CXLMEM_INTERNAL_H

#include <linux/atomic.h>
#include <linux/cxlmem.h>
#include <linux/device.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/wait.h>

#include "compat.h"

#define CXLMEM_ERROR_LEN 256

struct memory_dev_type;

/* The only zone that the guard lets memory blocks go online in. */
enum cxlmem_zone {
	CXLMEM_ZONE_MOVABLE,	/* can always be evacuated */
	CXLMEM_ZONE_KERNEL,	/* on request: may hold unmovable allocations */
	CXLMEM_NR_ZONES,
};

extern const char * const cxlmem_zone_names[CXLMEM_NR_ZONES];

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
 * @group: memory group id, in mode "system"
 * @type: memory type that @node's tier is made by, in mode "system"
 * @guard: the memory notifier, in mode "system"
 * @leaving: an evacuation is under way
 * @blocks_total: memory blocks that were online at its beginning
 * @blocks_done: memory blocks that it has offlined
 * @wait: woken whenever a block has gone, and at the end of an evacuation
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
	bool leaving;
	int blocks_total;
	atomic_t blocks_done;
	wait_queue_head_t wait;
};

/**
 * struct cxlmem_device - the class device, the memory's face in sysfs
 * @dev: the device; its parent is the function or platform device
 * @mem: the memory; valid as long as @dev is registered
 * @serial: serial number, 0 if there is none
 * @ops: the registering driver's callbacks, may be NULL
 * @drvdata: what they are called with
 * @lock: one transition or setting at a time; guards @mem's mode and settings
 * @removed: cxlmem_unregister() has begun, which stops a transition
 * @going_to: the mode that a transition under way leads to, else NULL
 * @error_lock: guards @error
 * @error: why the last write to an attribute was refused
 */
struct cxlmem_device {
	struct device dev;
	struct cxlmem_memory *mem;
	u64 serial;
	const struct cxlmem_ops *ops;
	void *drvdata;
	struct mutex lock;
	bool removed;
	const struct cxlmem_mode *going_to;
	struct mutex error_lock;
	char error[CXLMEM_ERROR_LEN];
};

#define to_cxlmem_device(d) container_of(d, struct cxlmem_device, dev)

/**
 * struct cxlmem_mode - a mode: one file, and one row in mode.c
 * @name: as users write it
 * @enter: from "offline" into this mode; changes nothing if it fails
 * @leave: back to "offline"; changes nothing if it fails. Sets the number of
 *	   bytes that were in use.
 *
 * Both are called with &cxlmem_device.lock held.
 */
struct cxlmem_mode {
	const char *name;
	int (*enter)(struct cxlmem_device *cdev);
	int (*leave)(struct cxlmem_device *cdev, u64 *evacuated);
};

/* mode.c */
extern const struct cxlmem_mode cxlmem_mode_offline;
extern const struct cxlmem_mode * const cxlmem_modes[];
extern const int cxlmem_nr_modes;
int cxlmem_switch_mode(struct cxlmem_device *cdev, const struct cxlmem_mode *to);

/* system.c */
extern const struct cxlmem_mode cxlmem_mode_system;
void cxlmem_system_exit(void);

/* evacuate.c */
int cxlmem_offline_and_remove(struct cxlmem_device *cdev, u64 *evacuated);

/* refuse.c */
__printf(3, 4)
int cxlmem_refuse(struct cxlmem_device *cdev, int error, const char *format, ...);
void cxlmem_forget_error(struct cxlmem_device *cdev);

/* sysfs.c */
extern const struct attribute_group *cxlmem_groups[];

static inline unsigned long to_mib(u64 bytes)
{
	return bytes >> 20;
}

#endif /* CXLMEM_INTERNAL_H */
