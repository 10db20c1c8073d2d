// SPDX-License-Identifier: GPL-2.0
/*
 * Mode "system": the memory is hot-plugged as a far NUMA node with a memory
 * tier of its own. This file adds and removes it and holds the guard, for mode
 * "cma" as well; user space onlines the blocks, since no kernel exports a way to
 * do it.
 */
#include <linux/cleanup.h>
#include <linux/memory.h>
#include <linux/memory-tiers.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/oom.h>
#include <linux/sched.h>

#include "internal.h"
#include "trace.h"

/* Must begin and end like this for kexec and lsmem to know it as pluggable. */
#define RESOURCE_NAME "System RAM (cxlmem)"

/* For memory that no firmware table gives the speed of: clearly below DRAM. */
#define DEFAULT_ADISTANCE (4 * MEMTIER_ADISTANCE_DRAM)

const char * const cxlmem_zone_names[CXLMEM_NR_ZONES] = {
	[CXLMEM_ZONE_MOVABLE] = "movable",
	[CXLMEM_ZONE_KERNEL] = "kernel",
};

/* Kept until the module goes: types are shared by nodes of the same speed. */
static LIST_HEAD(memory_types);
static DEFINE_MUTEX(memory_types_lock);

static struct memory_dev_type *find_memory_type(int node)
{
	int adistance = DEFAULT_ADISTANCE;

	guard(mutex)(&memory_types_lock);
	mt_calc_adistance(node, &adistance);
	return mt_find_alloc_memory_type(adistance, &memory_types);
}

/*
 * The guard: a block of ours goes online in the zone that the owner asked for
 * or not at all, whoever asks: the kernel's auto-onlining, a udev rule or an
 * administrator's echo.
 */
static int check_zone(const struct cxlmem_memory *mem, unsigned long pfn, u64 block)
{
	bool movable = page_zonenum(pfn_to_page(pfn)) == ZONE_MOVABLE;

	if (movable == (mem->zone == CXLMEM_ZONE_MOVABLE))
		return NOTIFY_OK;

	trace_cxlmem_block(mem->name, block, "refused");
	pr_info_ratelimited("%s: memory block %llu stays offline: %s (pid %d) wanted it in a %s zone, but it is for zone %s\n",
			    mem->name, block / memory_block_size_bytes(), current->comm,
			    task_pid_nr(current), movable ? "movable" : "kernel",
			    cxlmem_zone_names[mem->zone]);
	return notifier_from_errno(-EPERM);
}

static int guard_notify(struct notifier_block *guard, unsigned long action, void *data)
{
	struct cxlmem_memory *mem = container_of(guard, struct cxlmem_memory, guard);
	const struct memory_notify *arg = data;
	u64 start = PFN_PHYS(arg->start_pfn);
	u64 block = ALIGN_DOWN(start, memory_block_size_bytes());
	int rc = NOTIFY_OK;

	if (start < mem->usable.start || start > mem->usable.end)
		return NOTIFY_DONE;

	switch (action) {
	case MEM_GOING_ONLINE:
		rc = check_zone(mem, arg->start_pfn, block);
		break;
	case MEM_GOING_OFFLINE:
		WRITE_ONCE(mem->block_since, jiffies);
		WRITE_ONCE(mem->block_going, true);
		break;
	case MEM_OFFLINE:
		trace_cxlmem_block(mem->name, block, "offlined");
		WRITE_ONCE(mem->block_gone, jiffies);
		WRITE_ONCE(mem->block_going, false);
		cxlmem_contents_wait(mem);
		if (READ_ONCE(mem->leaving)) {
			atomic_inc(&mem->blocks_done);
			wake_up(&mem->wait);
		}
		break;
	case MEM_CANCEL_OFFLINE:
		trace_cxlmem_block(mem->name, block, "stuck");
		WRITE_ONCE(mem->block_going, false);
		break;
	}
	if (rc == NOTIFY_OK && mem->cma)
		rc = cxlmem_cma_notify(mem->cma, action, arg->start_pfn, arg->nr_pages);
	return rc;
}

static int check_settings(struct cxlmem_device *cdev)
{
	const struct cxlmem_memory *mem = cdev->mem;

	if (!range_len(&mem->usable))
		return cxlmem_refuse(cdev, -EINVAL,
				     "the range [mem %#llx-%#llx] holds no whole memory block (of %lu MiB)",
				     mem->range.start, mem->range.end,
				     to_mib(memory_block_size_bytes()));
	if (mem->node == NUMA_NO_NODE)
		return cxlmem_refuse(cdev, -EDOM,
				     "no target node: the firmware names none for this range; set one of the possible nodes %*pbl",
				     nodemask_pr_args(&node_states[N_POSSIBLE]));
	if (node_state(mem->node, N_CPU) && !mem->node_forced)
		return cxlmem_refuse(cdev, -EPERM,
				     "node %d has CPUs: far memory cannot be told from near memory there; set another node, or force this one",
				     mem->node);
	return 0;
}

/* What is left to do once the blocks are gone. */
void cxlmem_release_node(struct cxlmem_memory *mem)
{
	unregister_oom_notifier(&mem->oom);
	unregister_memory_notifier(&mem->guard);
	memory_group_unregister(mem->group);
	clear_node_memory_type(mem->node, mem->type);
	mem->res->flags = IORESOURCE_MEM | IORESOURCE_BUSY;
}

/* Adds the memory blocks; user space, or the kernel by itself, brings them online. */
int cxlmem_add_blocks(struct cxlmem_device *cdev, bool memmap_on_memory)
{
	struct cxlmem_memory *mem = cdev->mem;
	mhp_t flags = MHP_NID_IS_MGID;
	u64 size = range_len(&mem->usable);
	int rc;

	rc = check_settings(cdev);
	if (rc)
		return rc;

	mem->type = find_memory_type(mem->node);
	if (IS_ERR(mem->type))
		return cxlmem_refuse(cdev, PTR_ERR(mem->type), "no memory for a memory type");
	init_node_memory_type(mem->node, mem->type);

	mem->group = memory_group_register_static(mem->node, PHYS_PFN(size));
	if (mem->group < 0) {
		clear_node_memory_type(mem->node, mem->type);
		return cxlmem_refuse(cdev, mem->group, "no memory for a memory group");
	}

	mem->guard.notifier_call = guard_notify;
	register_memory_notifier(&mem->guard);
	mem->block_gone = jiffies - HZ;
	mem->oom.notifier_call = cxlmem_spare_bound_processes;
	register_oom_notifier(&mem->oom);

	/* Not busy, so that the kernel's own resource fits in. */
	mem->res->flags = IORESOURCE_SYSTEM_RAM;
	if (memmap_on_memory)
		flags |= MHP_MEMMAP_ON_MEMORY;
	rc = add_memory_driver_managed(mem->group, mem->usable.start, size, RESOURCE_NAME, flags);
	if (rc) {
		cxlmem_release_node(mem);
		return cxlmem_refuse(cdev, rc, "the kernel cannot add %lu MiB at %#llx to node %d (%pe)%s",
				     to_mib(size), mem->usable.start, mem->node, ERR_PTR(rc),
				     rc == -ENOMEM ? ": host memory is short" : "");
	}
	return 0;
}

static int enter_system(struct cxlmem_device *cdev)
{
	return cxlmem_add_blocks(cdev, cdev->mem->memmap_on_memory);
}

static int leave_system(struct cxlmem_device *cdev, u64 *evacuated)
{
	int rc = cxlmem_offline_and_remove(cdev, evacuated);

	if (!rc)
		cxlmem_release_node(cdev->mem);
	return rc;
}

void cxlmem_blocks_progress(const struct cxlmem_memory *mem, u64 *done, u64 *total)
{
	*done = atomic_read(&mem->blocks_done) * (u64)memory_block_size_bytes();
	*total = mem->blocks_total * (u64)memory_block_size_bytes();
}

const struct cxlmem_mode cxlmem_mode_system = {
	.name = "system",
	.enter = enter_system,
	.leave = leave_system,
	.progress = cxlmem_blocks_progress,
};

void cxlmem_system_exit(void)
{
	mt_put_memory_types(&memory_types);
}
