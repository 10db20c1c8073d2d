// SPDX-License-Identifier: GPL-2.0
/*
 * Taking hot-plugged memory back: is there room for what is on it, and then
 * the kernel's own offlining, in a thread of its own that can be stopped.
 */
#include <linux/kthread.h>
#include <linux/memory.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/ptrace.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <linux/task_work.h>
#include <linux/vmstat.h>
#include <asm/syscall.h>
#include <asm/unistd.h>

#include "internal.h"

static unsigned int remove_timeout = 30;
module_param(remove_timeout, uint, 0644);
MODULE_PARM_DESC(remove_timeout,
		 "seconds without progress after which a device that is being removed, or is broken, leaves its memory online");

/* In seconds. */
unsigned int cxlmem_remove_timeout(void)
{
	return max(READ_ONCE(remove_timeout), 1u);
}

static bool block_is_online(u64 start)
{
	return pfn_to_online_page(PHYS_PFN(start));
}

static int count_online_blocks(const struct cxlmem_memory *mem)
{
	u64 block;
	int n = 0;

	for (block = mem->usable.start; block < mem->usable.end; block += memory_block_size_bytes())
		n += block_is_online(block);
	return n;
}

/*
 * What is in use on the node, but no more than our online blocks can hold:
 * exact if the node is ours alone, else an upper bound.
 */
static u64 used_bytes(const struct cxlmem_memory *mem)
{
	u64 online = (u64)count_online_blocks(mem) * memory_block_size_bytes();
	struct zone *zones = NODE_DATA(mem->node)->node_zones;
	unsigned long used = 0;
	int i;

	for (i = 0; i < MAX_NR_ZONES; i++) {
		unsigned long managed = zone_managed_pages(&zones[i]);
		unsigned long free = zone_page_state(&zones[i], NR_FREE_PAGES);

		used += managed > free ? managed - free : 0;
	}
	return min(online, PFN_PHYS((u64)used));
}

/* Free pages that a node can give without being pushed below its watermarks. */
static unsigned long node_free(int node)
{
	struct zone *zones = NODE_DATA(node)->node_zones;
	unsigned long free = 0;
	int i;

	for (i = 0; i < MAX_NR_ZONES; i++) {
		unsigned long zone_free = zone_page_state(&zones[i], NR_FREE_PAGES);
		unsigned long reserve = high_wmark_pages(&zones[i]);

		free += zone_free > reserve ? zone_free - reserve : 0;
	}
	return free;
}

/* The same with half of the page cache, a cautious guess of what can be dropped. */
static unsigned long node_room(int node)
{
	struct zone *zones = NODE_DATA(node)->node_zones;
	unsigned long cache = 0;
	int i;

	for (i = 0; i < MAX_NR_ZONES; i++)
		cache += zone_page_state(&zones[i], NR_ZONE_INACTIVE_FILE) +
			 zone_page_state(&zones[i], NR_ZONE_ACTIVE_FILE);
	return node_free(node) + cache / 2;
}

/* What the nodes with memory can take, all but one. */
u64 cxlmem_host_room(int except)
{
	unsigned long pages = 0;
	int node;

	for_each_node_state(node, N_MEMORY)
		if (node != except)
			pages += node_room(node);
	return PFN_PHYS((u64)pages);
}

/*
 * The kernel moves pages to other nodes. Only if there are none (memory that
 * was forced into the one node with CPUs) do they stay in theirs.
 */
static u64 room_for(const struct cxlmem_memory *mem)
{
	unsigned long own = node_room(mem->node);
	unsigned long ours = PHYS_PFN((u64)count_online_blocks(mem) * memory_block_size_bytes());

	if (num_node_state(N_MEMORY) > 1 || !node_state(mem->node, N_MEMORY))
		return cxlmem_host_room(mem->node);
	return PFN_PHYS(own > ours ? (u64)own - ours : 0);
}

struct evacuation {
	struct cxlmem_memory *mem;
	bool finished;
	int error;
};

/* Blocks are going off line, or were a moment ago: by us, or by who writes to their files. */
static bool is_being_emptied(const struct cxlmem_memory *mem)
{
	return READ_ONCE(mem->leaving) || READ_ONCE(mem->block_going) ||
	       time_before(jiffies, READ_ONCE(mem->block_gone) + HZ);
}

/* More than all but a few system calls and page faults ask for. */
#define LEAVE_PAGES PHYS_PFN(SZ_64M)

/* A memory block that takes so long may wait for somebody who waits for memory. */
#define STUCK (2 * HZ)

static bool is_stuck(const struct cxlmem_memory *mem)
{
	return READ_ONCE(mem->block_going) &&
	       time_after(jiffies, READ_ONCE(mem->block_since) + STUCK);
}

static void end_leave(struct callback_head *work)
{
	current->flags &= ~PF_MEMALLOC;
	kfree(work);
	module_put(THIS_MODULE);
}

/* A task that is made by one with PF_MEMALLOC has it for good. These may do that later on. */
static bool may_make_task(int call)
{
	return call == __NR_clone3 || call == __NR_io_uring_enter || call == __NR_ioctl;
}

/*
 * Who has to wait for a page may hold the one that is to be moved, as in a copy on write,
 * and both would wait for ever. So its binding has leave: the allocator looks at none
 * for a task with PF_MEMALLOC, which it is until it is back in user mode. Nor does it
 * look at watermarks then, so there has to be room. In a page fault that is soon over;
 * a system call may come to things that such a task must not do, as writing a file
 * back, and so it has leave only if there is no other way.
 */
static bool give_leave(const struct cxlmem_memory *mem, unsigned long room)
{
	/* An exception from user mode is none: -1. */
	int call = syscall_get_nr(current, current_pt_regs());
	struct callback_head *work;

	if (room < LEAVE_PAGES || (call >= 0 && (!is_stuck(mem) || may_make_task(call))) ||
	    current->flags & (PF_KTHREAD | PF_USER_WORKER | PF_MEMALLOC) ||
	    !try_module_get(THIS_MODULE))
		return false;
	work = kmalloc(sizeof(*work), GFP_NOWAIT);
	if (work) {
		init_task_work(work, end_leave);
		if (!task_work_add(current, work, TWA_RESUME)) {
			current->flags |= PF_MEMALLOC;
			return true;
		}
	}
	kfree(work);
	module_put(THIS_MODULE);
	return false;
}

/* Waits until nobody is in end_leave() any more: that it has let go of us is not its end. */
void cxlmem_evacuate_exit(void)
{
	synchronize_rcu_tasks();
}

/*
 * A process that is bound to the node finds no free page there while the last
 * blocks leave, and would be killed for it. Its binding is void as soon as the
 * node is empty, so it gets pages elsewhere or waits; as long as the rest of the
 * machine has memory, it is the node that is out of it.
 */
int cxlmem_spare_bound_processes(struct notifier_block *oom, unsigned long unused, void *freed)
{
	struct cxlmem_memory *mem = container_of(oom, struct cxlmem_memory, oom);
	unsigned long room = 0;
	int node;

	if (fatal_signal_pending(current) || !is_being_emptied(mem))
		return NOTIFY_DONE;
	for_each_node_state(node, N_MEMORY)
		if (node != mem->node)
			room += node_free(node);
	if (!room)
		return NOTIFY_DONE;
	if (!give_leave(mem, room))
		schedule_timeout_killable(HZ / 10);
	*(unsigned long *)freed += 1;
	return NOTIFY_OK;
}

/*
 * A thread of its own can be sent a signal, which is the only way to stop the
 * kernel's offlining, by whoever has a reason to: the writer of "mode" that
 * got one, or a driver's remove() that nobody can send one to. It also keeps
 * the writer's cpuset and memory policy from narrowing where pages can go.
 */
static int offline_thread(void *data)
{
	struct evacuation *evacuation = data;
	struct cxlmem_memory *mem = evacuation->mem;

	allow_signal(SIGTERM);
	evacuation->error = offline_and_remove_memory(mem->usable.start, range_len(&mem->usable));
	/* Who sees this sees the error as well; pairs with finished(). */
	smp_store_release(&evacuation->finished, true);
	wake_up(&mem->wait);
	return 0;
}

static bool finished(struct evacuation *evacuation)
{
	/* Pairs with offline_thread(). */
	return smp_load_acquire(&evacuation->finished);
}

/*
 * What is still to be moved, roughly: of what is in use that is the part which
 * only ever gets less, but for new pages of whoever is allowed there.
 */
static unsigned long pages_left(const struct cxlmem_memory *mem)
{
	atomic_long_t *counts = NODE_DATA(mem->node)->vm_stat;

	return atomic_long_read(&counts[NR_ANON_MAPPED]) + atomic_long_read(&counts[NR_FILE_PAGES]);
}

/* True if the evacuation has come a block further, or has ended. */
static bool advanced(struct evacuation *evacuation, int *blocks_seen)
{
	int done = atomic_read(&evacuation->mem->blocks_done);

	if (*blocks_seen == done)
		return finished(evacuation);
	*blocks_seen = done;
	return true;
}

/* Returns what gave reason to stop, or 0 if the evacuation came to its end. */
static int wait_or_stop(struct cxlmem_device *cdev, struct evacuation *evacuation)
{
	struct cxlmem_memory *mem = cdev->mem;
	unsigned long least = ULONG_MAX, left;
	bool urgent = cxlmem_is_urgent(cdev);
	int blocks_seen = 0;
	int rc;

	while (!finished(evacuation)) {
		if (urgent) {
			left = pages_left(mem);
			rc = wait_event_timeout(mem->wait, advanced(evacuation, &blocks_seen),
						cxlmem_remove_timeout() * HZ) ? 0 : -ETIMEDOUT;
			/* A slow machine may need longer for a block, and gets it. */
			least = min(least, left);
			if (rc && pages_left(mem) < least)
				rc = 0;
		} else {
			rc = wait_event_interruptible(mem->wait,
						      advanced(evacuation, &blocks_seen) ||
						      cxlmem_is_urgent(cdev));
		}
		if (!rc && !urgent && cxlmem_is_urgent(cdev))
			rc = -ENODEV;
		if (rc)
			return rc == -ERESTARTSYS ? -EINTR : rc;
		sysfs_notify(&cdev->dev.kobj, NULL, "progress");
	}
	return 0;
}

/*
 * Blocks are offlined in order of address and a failure puts all of them back
 * online, so the stuck one is the online block after as many as were done.
 */
static u64 stuck_block(const struct cxlmem_memory *mem)
{
	int done = atomic_read(&mem->blocks_done);
	u64 block;

	for (block = mem->usable.start; block < mem->usable.end; block += memory_block_size_bytes())
		if (block_is_online(block) && done-- == 0)
			break;
	return block;
}

static int report(struct cxlmem_device *cdev, int stopped, int error)
{
	struct cxlmem_memory *mem = cdev->mem;
	u64 block = stuck_block(mem);

	if (stopped == -EINTR)
		return cxlmem_refuse(cdev, -EINTR,
				     "stopped by a signal at memory block %llu [mem %#llx-%#llx]; %d of %d memory blocks are online as before",
				     block / memory_block_size_bytes(), block,
				     block + memory_block_size_bytes() - 1,
				     count_online_blocks(mem), mem->blocks_total);
	if (stopped == -ENODEV)
		return cxlmem_refuse(cdev, -ENODEV, "the device is being removed, or is broken");
	return cxlmem_refuse(cdev, stopped ?: error,
			     "memory block %llu [mem %#llx-%#llx] cannot be offlined (%pe); the kernel log has the page and the reason",
			     block / memory_block_size_bytes(), block,
			     block + memory_block_size_bytes() - 1, ERR_PTR(stopped ?: error));
}

/*
 * All blocks are gone afterwards, or all are as they were. Urgent or not, see
 * cxlmem_is_urgent(): what stays on a removed or broken device may be lost.
 */
int cxlmem_offline_and_remove(struct cxlmem_device *cdev, u64 *evacuated)
{
	struct cxlmem_memory *mem = cdev->mem;
	struct evacuation evacuation = { .mem = mem };
	u64 used = used_bytes(mem);
	u64 room = room_for(mem);
	struct task_struct *task;
	int stopped;

	if (used > room && !cxlmem_is_urgent(cdev))
		return cxlmem_refuse(cdev, -ENOSPC,
				     "%lu MiB are in use on node %d, and the rest of the machine can take %lu MiB",
				     to_mib(used), mem->node, to_mib(room));

	mem->blocks_total = count_online_blocks(mem);
	atomic_set(&mem->blocks_done, 0);
	WRITE_ONCE(mem->leaving, true);

	task = kthread_create(offline_thread, &evacuation, "%s-offline", mem->name);
	if (IS_ERR(task)) {
		WRITE_ONCE(mem->leaving, false);
		return cxlmem_refuse(cdev, PTR_ERR(task), "no memory for a thread (%pe)", task);
	}
	get_task_struct(task);
	wake_up_process(task);

	stopped = wait_or_stop(cdev, &evacuation);
	if (stopped) {
		send_sig(SIGTERM, task, 1);
		wait_event(mem->wait, finished(&evacuation));
	}
	kthread_stop(task);
	put_task_struct(task);
	WRITE_ONCE(mem->leaving, false);

	/* A signal that came too late stopped nothing. */
	if (evacuation.error)
		return report(cdev, stopped, evacuation.error);
	*evacuated = used;
	return 0;
}
