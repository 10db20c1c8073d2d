// SPDX-License-Identifier: GPL-2.0
/*
 * Mode "driver": the memory has struct pages (ZONE_DEVICE, coherent), but the
 * kernel never takes one by itself. Only what is asked for goes there, see
 * migrate.c, and it can always be moved off again.
 */
#include <linux/cleanup.h>
#include <linux/cpu.h>
#include <linux/jiffies.h>
#include <linux/memory_hotplug.h>
#include <linux/memremap.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "internal.h"

static unsigned int pin_timeout = 10;
module_param(pin_timeout, uint, 0644);
MODULE_PARM_DESC(pin_timeout,
		 "seconds without progress after which leaving mode \"driver\" is refused");

const char * const cxlmem_policy_names[CXLMEM_NR_POLICIES] = {
	[CXLMEM_DENY] = "deny",
	[CXLMEM_EVICT] = "evict",
};

/**
 * struct cxlmem_coherent - what mode "driver" needs
 * @pgmap: the kernel's handle for the pages
 * @pool: which of them are in use
 * @closing: the mode is being left, so no page may come any more
 * @evacuating: pages that were in use when leaving began
 */
struct cxlmem_coherent {
	struct dev_pagemap pgmap;
	struct cxlmem_pool *pool;
	bool closing;
	unsigned long evacuating;
};

CXLMEM_PAGE_FREE(cxlmem_pool_free)

/*
 * A page has a memory error. The kernel's own handling is for files: as of 7.2 it takes
 * what an anonymous page points to for one, and crashes. But whoever unmaps a page that
 * is known to be bad leaves something in its place that whoever touches it gets SIGBUS
 * for; so it begins to move off the device, and goes nowhere.
 */
static int page_is_bad(struct dev_pagemap *pgmap, unsigned long pfn, unsigned long nr_pages,
		       int mf_flags)
{
	struct cxlmem_coherent *coherent = container_of(pgmap, struct cxlmem_coherent, pgmap);
	unsigned long end = pfn + nr_pages, src, nowhere = 0;

	for (; pfn < end; pfn++) {
		pr_err("cxlmem: the page at %#llx has a memory error: who has it gets SIGBUS, and nobody gets it any more\n",
		       PFN_PHYS((u64)pfn));
		cxlmem_pool_retire(coherent->pool, pfn);
		migrate_device_range(&src, pfn, 1);
		migrate_device_pages(&src, &nowhere, 1);
		migrate_device_finalize(&src, &nowhere, 1);
	}
	return 0;
}

static const struct dev_pagemap_ops pagemap_ops = {
	CXLMEM_PAGE_FREE_OP(cxlmem_pool_free),
	.memory_failure = page_is_bad,
};

/* What there is to work with; the caller holds &cxlmem_device.use. */
struct cxlmem_coherent *cxlmem_coherent_get(struct cxlmem_device *cdev)
{
	lockdep_assert_held(&cdev->use);
	if (cdev->removed)
		return ERR_PTR(-ENODEV);
	if (!cdev->mem->coherent || cdev->mem->coherent->closing)
		return ERR_PTR(-EBUSY);
	return cdev->mem->coherent;
}

struct cxlmem_pool *cxlmem_coherent_pool(struct cxlmem_coherent *coherent)
{
	return coherent->pool;
}

/* Makes a page that was taken from the pool one, locked and with one reference. */
struct page *cxlmem_coherent_page(struct cxlmem_coherent *coherent, unsigned long pfn)
{
	struct page *page = pfn_to_page(pfn);

	cxlmem_init_page(page, &coherent->pgmap);
	return page;
}

/* The whole blocks in the device's range that the kernel can map. */
static struct range whole_blocks(const struct cxlmem_memory *mem)
{
	struct range pluggable = mhp_get_pluggable_range(true);
	u64 align = max_t(u64, CXLMEM_BLOCK, memremap_compat_align());
	u64 start = ALIGN(max(mem->range.start, pluggable.start), align);
	u64 end = ALIGN_DOWN(min(mem->range.end, pluggable.end) + 1, align);

	return (struct range) { .start = start, .end = max(start, end) - 1 };
}

/*
 * The pages' node is the one that the memory would be in mode "system". It may be
 * off line, which is right: nobody else can have memory there.
 */
static int node_of(struct cxlmem_device *cdev)
{
	if (cdev->mem->node != NUMA_NO_NODE)
		return cdev->mem->node;
	if (cdev->dev.parent && dev_to_node(cdev->dev.parent) != NUMA_NO_NODE)
		return dev_to_node(cdev->dev.parent);
	return numa_mem_id();
}

static void free_coherent(struct cxlmem_coherent *coherent)
{
	cxlmem_pool_destroy(coherent->pool);
	kfree(coherent);
}

static struct cxlmem_coherent *alloc_coherent(struct range range)
{
	struct cxlmem_coherent *coherent __free(kfree) = kzalloc(sizeof(*coherent), GFP_KERNEL);

	if (!coherent)
		return NULL;
	coherent->pool = cxlmem_pool_create(PHYS_PFN(range.start), PHYS_PFN(range_len(&range)));
	if (!coherent->pool)
		return NULL;
	coherent->pgmap.type = MEMORY_DEVICE_COHERENT;
	coherent->pgmap.range = range;
	coherent->pgmap.nr_range = 1;
	coherent->pgmap.ops = &pagemap_ops;
	coherent->pgmap.owner = CXLMEM_PAGES_OWNER;
	return no_free_ptr(coherent);
}

static void set_coherent(struct cxlmem_device *cdev, struct cxlmem_coherent *coherent)
{
	guard(rwsem_write)(&cdev->use);
	cdev->mem->coherent = coherent;
}

static int enter_driver(struct cxlmem_device *cdev)
{
	struct range range = whole_blocks(cdev->mem);
	struct cxlmem_coherent *coherent;
	void *mapped;

	if (!range_len(&range))
		return cxlmem_refuse(cdev, -EINVAL,
				     "the range [mem %#llx-%#llx] holds no whole 2 MiB",
				     cdev->mem->range.start, cdev->mem->range.end);
	coherent = alloc_coherent(range);
	if (!coherent)
		return cxlmem_refuse(cdev, -ENOMEM, "no memory for the list of pages");

	mapped = memremap_pages(&coherent->pgmap, node_of(cdev));
	if (IS_ERR(mapped)) {
		free_coherent(coherent);
		return cxlmem_refuse(cdev, PTR_ERR(mapped),
				     "the kernel cannot map %lu MiB at %#llx (%pe)%s",
				     to_mib(range_len(&range)), range.start, mapped,
				     PTR_ERR(mapped) == -ENOMEM ? ": host memory is short" : "");
	}
	set_coherent(cdev, coherent);
	return 0;
}

struct evacuation {
	struct cxlmem_job job;
	struct cxlmem_device *cdev;
	struct cxlmem_coherent *coherent;
	bool urgent;
};

/*
 * Moves a block of the device. As long as the device stays, so can its pages: the
 * host is not emptied to the last page for them.
 */
static int evacuate_block(struct cxlmem_job *job, u64 pfn, struct cxlmem_batch *batch)
{
	struct evacuation *evacuation = container_of(job, struct evacuation, job);
	struct cxlmem_device *cdev = evacuation->cdev;
	unsigned long moved;
	int rc;

	if (!evacuation->urgent && cxlmem_is_urgent(cdev))
		return -ENODEV;
	if (!cxlmem_pool_block_used(evacuation->coherent->pool, pfn))
		return 0;
	if (!evacuation->urgent && cxlmem_host_room(NUMA_NO_NODE) < 8 * CXLMEM_BLOCK)
		return -ENOMEM;
	rc = cxlmem_move_block_out(cdev, pfn, batch, &moved);
	atomic64_add(moved, &cdev->mem->stats[CXLMEM_STAT_EVACUATED]);
	sysfs_notify(&cdev->dev.kobj, NULL, "progress");
	return rc;
}

/* Moving nothing makes a CPU give up the pages that it has in batches of its own. */
static long drain_cpu(void *unused)
{
	unsigned long nothing;

	migrate_device_range(&nothing, 0, 0);
	return 0;
}

/* Nobody may hold a lock that a CPU that comes or goes needs, such as an mmap_lock. */
void cxlmem_drain_cpus(void)
{
	int cpu;

	cpus_read_lock();
	for_each_online_cpu(cpu)
		work_on_cpu(cpu, drain_cpu, NULL);
	cpus_read_unlock();
}

/* A page that is in use now may be free in a moment: by its owner, or its I/O. */
static int wait_a_moment(struct evacuation *evacuation)
{
	struct cxlmem_device *cdev = evacuation->cdev;
	long rc;

	cxlmem_drain_cpus();
	if (evacuation->urgent) {
		schedule_timeout_uninterruptible(HZ / 10);
		return 0;
	}
	rc = wait_event_interruptible_timeout(cdev->mem->wait, cxlmem_is_urgent(cdev), HZ / 10);
	return rc < 0 ? -EINTR : rc ? -ENODEV : 0;
}

/* Returns the first error of a pass over the device. */
static int evacuate_once(struct evacuation *evacuation)
{
	unsigned long first = PHYS_PFN(evacuation->coherent->pgmap.range.start);

	evacuation->job = (struct cxlmem_job) {
		.step = evacuate_block,
		.next = ATOMIC64_INIT(first),
		.end = first + cxlmem_pool_pages(evacuation->coherent->pool),
		.stride = CXLMEM_BLOCK_PAGES,
		.interruptible = !evacuation->urgent,
	};
	return cxlmem_work(&evacuation->job);
}

/* Nothing is left afterwards, or an error says why. */
static int evacuate(struct evacuation *evacuation)
{
	const struct cxlmem_pool *pool = evacuation->coherent->pool;
	unsigned long left = cxlmem_pool_used(pool), before, progress = jiffies;
	unsigned int seconds = evacuation->urgent ? cxlmem_remove_timeout() :
						     READ_ONCE(pin_timeout);
	int rc;

	while (left) {
		before = left;
		rc = evacuate_once(evacuation);
		if (rc && !evacuation->urgent)
			return rc;
		left = cxlmem_pool_used(pool);
		if (left < before) {
			progress = jiffies;
			continue;
		}
		if (time_after(jiffies, progress + seconds * HZ))
			return rc ?: -EBUSY;
		rc = wait_a_moment(evacuation);
		if (rc)
			return rc;
	}
	return 0;
}

static int refuse_leaving(struct cxlmem_device *cdev, struct cxlmem_pool *pool, int error)
{
	unsigned long left = to_mib(PFN_PHYS((u64)cxlmem_pool_used(pool)) + SZ_1M - 1);
	kuid_t uid = GLOBAL_ROOT_UID;
	unsigned long pfn;

	switch (error) {
	case -EINTR:
		return cxlmem_refuse(cdev, error, "stopped by a signal; %lu MiB are on the device as before",
				     left);
	case -ENODEV:
		return cxlmem_refuse(cdev, error, "the device is being removed, or is broken");
	case -ENOMEM:
		return cxlmem_refuse(cdev, error, "the host has run out of memory; %lu MiB stay on the device",
				     left);
	default:
		pfn = cxlmem_pool_example(pool, &uid);
		return cxlmem_refuse(cdev, error,
				     "%lu pages cannot be moved, since they are in use by I/O or the kernel; the first is at %#llx, of user %u (%pe)",
				     cxlmem_pool_used(pool), PFN_PHYS((u64)pfn),
				     from_kuid(&init_user_ns, uid), ERR_PTR(error));
	}
}

/* As in mode "system", urgent or not. */
static int leave_driver(struct cxlmem_device *cdev, u64 *evacuated)
{
	struct cxlmem_memory *mem = cdev->mem;
	struct cxlmem_coherent *coherent = mem->coherent;
	struct evacuation evacuation = {
		.cdev = cdev,
		.coherent = coherent,
		.urgent = cxlmem_is_urgent(cdev),
	};
	u64 used = PFN_PHYS((u64)cxlmem_pool_used(coherent->pool));
	u64 room = cxlmem_host_room(NUMA_NO_NODE);
	int rc;

	if (used > room && !cxlmem_is_urgent(cdev))
		return cxlmem_refuse(cdev, -ENOSPC,
				     "%lu MiB are in use on the device, and the host can take %lu MiB",
				     to_mib(used), to_mib(room));

	/* Whoever comes now is turned away; who is at it finishes his block. */
	scoped_guard(rwsem_write, &cdev->use) {
		coherent->closing = true;
		coherent->evacuating = cxlmem_pool_used(coherent->pool);
		WRITE_ONCE(mem->leaving, true);
	}
	rc = evacuate(&evacuation);
	scoped_guard(rwsem_write, &cdev->use) {
		WRITE_ONCE(mem->leaving, false);
		coherent->closing = rc == 0;
		if (!rc)
			mem->coherent = NULL;
	}
	if (rc)
		return refuse_leaving(cdev, coherent->pool, rc);

	*evacuated = used;
	memunmap_pages(&coherent->pgmap);
	free_coherent(coherent);
	return 0;
}

static void driver_progress(const struct cxlmem_memory *mem, u64 *done, u64 *total)
{
	const struct cxlmem_coherent *coherent = mem->coherent;
	unsigned long left;

	*done = *total = 0;
	if (!coherent)
		return;
	left = min(cxlmem_pool_used(coherent->pool), coherent->evacuating);
	*total = PFN_PHYS((u64)coherent->evacuating);
	*done = PFN_PHYS((u64)coherent->evacuating - left);
}

const struct cxlmem_mode cxlmem_mode_driver = {
	.name = "driver",
	.enter = enter_driver,
	.leave = leave_driver,
	.progress = driver_progress,
};
