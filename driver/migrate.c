// SPDX-License-Identifier: GPL-2.0
/*
 * Moving pages to the device and off it, in mode "driver".
 *
 * The kernel does the moving (mm/migrate_device.c): it unmaps pages and locks
 * them, we copy them, and it maps the copies in their place. Whoever touches a
 * page meanwhile waits. Only anonymous memory can go to the device; what is on another
 * device of ours comes from there directly.
 *
 * Pages go to the device one by one, huge pages included, which the kernel splits
 * for that. From 6.19 on it could keep them whole (MIGRATE_VMA_SELECT_COMPOUND),
 * but as of 7.2 its other parts are ready for that with unaddressable device
 * memory only. A whole huge page of the coherent kind of which a part is unmapped
 * goes to the list of those to be split when memory is short, is not taken off it
 * when it is freed, and splitting it puts its pages on the lists of page reclaim,
 * by the very field of struct page that holds a device page's dev_pagemap. Any
 * process could crash the machine by a munmap(). Its long-term pins fail, too,
 * with a warning, since they can move small pages off the device only. What is
 * kept is that its pages get one aligned piece of the device.
 */
#include <linux/cleanup.h>
#include <linux/cred.h>
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/hmm.h>
#include <linux/hugetlb_inline.h>
#include <linux/ksm.h>
#include <linux/memremap.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>

#include "internal.h"
#include "trace.h"

/* Never the OOM killer: who asks for this can be told that there is no room. */
#define HOST_GFP (GFP_HIGHUSER_MOVABLE | __GFP_NOWARN | __GFP_RETRY_MAYFAIL)

/* As long as one request waits in vain, all in all, for pages that others have in hand. */
#define PATIENCE (HZ / 2)

/* The longest of those waits is so many jiffies, as a power of two. */
#define MAX_VAIN 5

enum direction { IN, CREATE, OUT };

static const char * const direction_names[] = {
	[IN] = "in",
	[CREATE] = "create",
	[OUT] = "out",
};

/* What is to become of a page of a batch. */
enum fate {
	FATE_UNKNOWN,		/* the kernel could not unmap it */
	FATE_MOVE,
	FATE_CREATE,
	FATE_EMPTY,
	FATE_SHARED,		/* by KSM, which is for the host only */
	FATE_NO_ROOM,
	FATE_POISONED,		/* it has a memory error, or the copy failed */
};

/**
 * struct request - a range of an address space to be worked on
 * @job: the same, for cxlmem_work()
 * @cdev: the device
 * @mm: the address space
 * @what: what is to be done
 * @start: where it begins
 * @end: where it ends
 * @claim: for whom pages are taken
 * @patience: jiffies that are left for waiting in vain
 * @lock: guards @counts
 * @counts: what has become of the pages
 */
struct request {
	struct cxlmem_job job;
	struct cxlmem_device *cdev;
	struct mm_struct *mm;
	enum direction what;
	unsigned long start;
	unsigned long end;
	struct cxlmem_claim claim;
	atomic_t patience;
	spinlock_t lock;	/* guards @counts */
	struct cxlmem_counts counts;
};

/* A part of one mapping, of no more than a block. */
struct piece {
	struct request *request;
	struct cxlmem_coherent *coherent;
	struct vm_area_struct *vma;
	unsigned long start;
	unsigned long end;
	struct cxlmem_batch *batch;
};

static void count_stat(struct cxlmem_device *cdev, enum cxlmem_stat stat, unsigned long n)
{
	if (n)
		atomic64_add(n, &cdev->mem->stats[stat]);
}

static void add_counts(struct cxlmem_counts *sum, const struct cxlmem_counts *counts)
{
	const __u64 *from = (const __u64 *)counts;
	__u64 *to = (__u64 *)sum;
	unsigned int i;

	for (i = 0; i < sizeof(*sum) / sizeof(*to); i++)
		to[i] += from[i];
}

/*
 * What is mapped at the addresses, without faulting anything in. It is a glimpse,
 * so it needs no real notifier that would tell when it is not true any more.
 */
static int look(struct mm_struct *mm, unsigned long start, unsigned long end, unsigned long *seen)
{
	struct mmu_interval_notifier glimpse = { .mm = mm };
	struct hmm_range range = {
		.notifier = &glimpse,
		.start = start,
		.end = end,
		.hmm_pfns = seen,
	};

	memset(seen, 0, ((end - start) >> PAGE_SHIFT) * sizeof(*seen));
	return hmm_range_fault(&range);
}

static unsigned long seen_pfn(unsigned long seen)
{
	return page_to_pfn(hmm_pfn_to_page(seen));
}

/* True if the page is to be worked on; else it is counted. */
static bool wanted(const struct piece *piece, unsigned long seen, struct cxlmem_counts *counts)
{
	enum direction what = piece->request->what;
	bool valid = seen & HMM_PFN_VALID;

	if (seen & HMM_PFN_ERROR) {
		counts->special++;
		return false;
	}
	if (valid && cxlmem_pool_has(cxlmem_coherent_pool(piece->coherent), seen_pfn(seen))) {
		if (what == OUT)
			return true;
		counts->already++;
		return false;
	}
	if (valid && is_zero_pfn(seen_pfn(seen))) {
		if (what == CREATE)
			return true;
		counts->empty++;
		return false;
	}
	if (what == IN || (what == CREATE && !valid))
		return true;
	if (!valid)
		counts->absent++;
	else if (what == CREATE)
		counts->host++;
	else
		counts->already++;
	return false;
}

static enum fate judge(enum direction what, unsigned long src)
{
	struct page *page = migrate_pfn_to_page(src);

	if (!(src & MIGRATE_PFN_MIGRATE))
		return FATE_UNKNOWN;
	if (!page)
		return what == CREATE ? FATE_CREATE : what == IN ? FATE_EMPTY : FATE_UNKNOWN;
	if (what == CREATE)
		return FATE_UNKNOWN;
	if (PageHWPoison(page))
		return FATE_POISONED;
	return folio_test_ksm(page_folio(page)) ? FATE_SHARED : FATE_MOVE;
}

static struct page *host_page(void)
{
	struct page *page = alloc_page(HOST_GFP);

	if (page)
		lock_page(page);
	return page;
}

static void drop_page(unsigned long *dst)
{
	struct page *page = migrate_pfn_to_page(*dst);

	*dst = 0;
	unlock_page(page);
	put_page(page);
}

/* Gets pages for those that are to be moved or created, as far as there are any. */
static void find_room(const struct piece *piece, unsigned int n)
{
	struct cxlmem_batch *batch = piece->batch;
	const struct request *request = piece->request;
	unsigned long got = 0, wanted = 0, i;
	struct page *page;
	bool full = false;

	for (i = 0; i < n; i++) {
		batch->fate[i] = judge(request->what, batch->src[i]);
		wanted += batch->fate[i] == FATE_MOVE || batch->fate[i] == FATE_CREATE;
	}
	if (wanted && request->what != OUT)
		got = cxlmem_pool_take(cxlmem_coherent_pool(piece->coherent), &request->claim,
				       wanted, batch->pfns);

	wanted = 0;
	for (i = 0; i < n; i++) {
		if (batch->fate[i] != FATE_MOVE && batch->fate[i] != FATE_CREATE)
			continue;
		page = NULL;
		if (request->what != OUT && wanted < got)
			page = cxlmem_coherent_page(piece->coherent, batch->pfns[wanted++]);
		else if (request->what == OUT && !full)
			page = host_page();
		full = !page;
		if (full)
			batch->fate[i] = FATE_NO_ROOM;
		else
			batch->dst[i] = migrate_pfn(page_to_pfn(page));
	}
}

/* Gives the pages of @batch that are to be moved or created their contents. */
static void fill(struct cxlmem_device *cdev, struct cxlmem_batch *batch, unsigned int n)
{
	unsigned long i, to_copy = 0;

	for (i = 0; i < n; i++) {
		if (batch->fate[i] == FATE_CREATE)
			clear_highpage(migrate_pfn_to_page(batch->dst[i]));
		if (batch->fate[i] == FATE_MOVE)
			batch->copy[to_copy++] = (struct cxlmem_copy) {
				.to = migrate_pfn_to_page(batch->dst[i]),
				.from = migrate_pfn_to_page(batch->src[i]),
			};
	}
	if (to_copy && cdev->ops && cdev->ops->copy &&
	    !cdev->ops->copy(cdev->drvdata, batch->copy, to_copy))
		return;
	for (i = 0; i < n; i++) {
		if (batch->fate[i] != FATE_MOVE ||
		    !folio_mc_copy(page_folio(migrate_pfn_to_page(batch->dst[i])),
				   page_folio(migrate_pfn_to_page(batch->src[i]))))
			continue;
		batch->fate[i] = FATE_POISONED;
		drop_page(&batch->dst[i]);
	}
}

static void count_fate(enum fate fate, bool done, unsigned long seen, struct cxlmem_counts *counts)
{
	switch (fate) {
	case FATE_MOVE:
		*(done ? &counts->moved : &counts->busy) += 1;
		break;
	case FATE_CREATE:
		*(done ? &counts->created : &counts->busy) += 1;
		break;
	case FATE_EMPTY:
		counts->empty++;
		break;
	case FATE_SHARED:
		counts->special++;
		break;
	case FATE_NO_ROOM:
		counts->no_room++;
		break;
	case FATE_UNKNOWN:
		*(seen & HMM_PFN_VALID ? &counts->busy : &counts->absent) += 1;
		break;
	case FATE_POISONED:
		counts->busy++;
		break;
	}
}

/* Works on pages of @piece that follow each other, from the one with index @i on. */
static int move_run(const struct piece *piece, unsigned long i, unsigned long n,
		    struct cxlmem_counts *counts)
{
	struct cxlmem_batch *batch = piece->batch;
	struct migrate_vma args = {
		.vma = piece->vma,
		.src = batch->src,
		.dst = batch->dst,
		.start = piece->start + (i << PAGE_SHIFT),
		.end = piece->start + ((i + n) << PAGE_SHIFT),
		.pgmap_owner = CXLMEM_PAGES_OWNER,
		.flags = MIGRATE_VMA_SELECT_DEVICE_COHERENT |
			 (piece->request->what == OUT ? 0 : MIGRATE_VMA_SELECT_SYSTEM),
	};
	unsigned long k;
	int rc;

	rc = migrate_vma_setup(&args);
	if (rc)
		return rc;
	find_room(piece, n);
	fill(piece->request->cdev, batch, n);
	migrate_vma_pages(&args);
	for (k = 0; k < n; k++) {
		unsigned long seen = batch->seen[i + k];
		bool done = batch->src[k] & MIGRATE_PFN_MIGRATE;

		count_fate(batch->fate[k], done, seen, counts);
		if (piece->request->what == IN && done && batch->fate[k] == FATE_MOVE &&
		    hmm_pfn_to_map_order(seen) == get_order(CXLMEM_BLOCK) &&
		    IS_ALIGNED(seen_pfn(seen), CXLMEM_BLOCK_PAGES))
			counts->split++;
	}
	migrate_vma_finalize(&args);
	return 0;
}

static int move_once(const struct piece *piece, struct cxlmem_counts *counts)
{
	unsigned long n = (piece->end - piece->start) >> PAGE_SHIFT;
	unsigned long *seen = piece->batch->seen;
	unsigned long i, run = 0;
	int rc;

	rc = look(piece->request->mm, piece->start, piece->end, seen);
	if (rc)
		return rc;
	for (i = 0; i <= n; i++) {
		if (i < n && wanted(piece, seen[i], counts)) {
			run++;
			continue;
		}
		if (!run)
			continue;
		rc = move_run(piece, i - run, run, counts);
		if (rc)
			return rc;
		run = 0;
	}
	return 0;
}

/*
 * Moves what can be moved of a block of the device to the host: all or part of
 * it, or nothing. Returns -ENOMEM if the host had too little memory.
 */
int cxlmem_move_block_out(struct cxlmem_device *cdev, unsigned long pfn,
			  struct cxlmem_batch *batch, unsigned long *moved)
{
	struct page *page;
	unsigned long i;
	int rc = 0;

	*moved = 0;
	memset(batch->dst, 0, sizeof(batch->dst));
	migrate_device_range(batch->src, pfn, CXLMEM_BLOCK_PAGES);
	for (i = 0; i < CXLMEM_BLOCK_PAGES; i++) {
		batch->fate[i] = rc ? FATE_NO_ROOM : judge(OUT, batch->src[i]);
		if (batch->fate[i] != FATE_MOVE)
			continue;
		page = host_page();
		if (!page) {
			batch->fate[i] = FATE_NO_ROOM;
			rc = -ENOMEM;
			continue;
		}
		batch->dst[i] = migrate_pfn(page_to_pfn(page));
	}
	fill(cdev, batch, CXLMEM_BLOCK_PAGES);
	migrate_device_pages(batch->src, batch->dst, CXLMEM_BLOCK_PAGES);
	for (i = 0; i < CXLMEM_BLOCK_PAGES; i++)
		*moved += batch->fate[i] == FATE_MOVE && (batch->src[i] & MIGRATE_PFN_MIGRATE);
	migrate_device_finalize(batch->src, batch->dst, CXLMEM_BLOCK_PAGES);
	return rc;
}

/* Makes room for a block of pages, or for less if the rest of it is pinned. */
static unsigned long evict(struct cxlmem_device *cdev, struct cxlmem_pool *pool,
			   struct cxlmem_batch *batch)
{
	unsigned long pfn, moved, evicted = 0;
	unsigned int tries;

	for (tries = 0; tries < 8 && evicted < CXLMEM_BLOCK_PAGES; tries++) {
		pfn = cxlmem_pool_oldest(pool);
		if (!pfn || fatal_signal_pending(current))
			break;
		if (cxlmem_move_block_out(cdev, pfn, batch, &moved))
			tries = 8;
		evicted += moved;
	}
	count_stat(cdev, CXLMEM_STAT_EVICTED, evicted);
	return evicted;
}

/* What a full device does about it; true if there may be room now. */
static bool make_room(const struct piece *piece, struct cxlmem_counts *counts)
{
	struct cxlmem_device *cdev = piece->request->cdev;
	struct cxlmem_pool *pool = cxlmem_coherent_pool(piece->coherent);
	unsigned long evicted;

	if (piece->request->what == OUT || READ_ONCE(cdev->mem->policy) != CXLMEM_EVICT)
		return false;
	/* Who has all that he may have has to make room himself. */
	if (cxlmem_pool_used_by(pool, piece->request->claim.uid) >= piece->request->claim.limit)
		return false;
	evicted = evict(cdev, pool, piece->batch);
	counts->evicted += evicted;
	return evicted;
}

static int no_room_error(const struct piece *piece)
{
	const struct cxlmem_claim *claim = &piece->request->claim;
	struct cxlmem_pool *pool = cxlmem_coherent_pool(piece->coherent);

	if (piece->request->what != OUT &&
	    cxlmem_pool_used_by(pool, claim->uid) >= claim->limit)
		return -EDQUOT;
	return -ENOSPC;
}

/*
 * How many pages others had in hand, such as compaction, which is done with them in
 * a moment; or for ever, if they are pinned. A page that is being moved looks like
 * one that is swapped out, but for a process of which nothing is.
 */
static unsigned long in_hand(const struct piece *piece, const struct cxlmem_counts *counts)
{
	if (piece->request->what == IN && !get_mm_counter(piece->request->mm, MM_SWAPENTS))
		return counts->busy + counts->absent;
	return counts->busy;
}

/*
 * Tries again if others had pages in hand; and if a full device has made room, as
 * often as it does, since others may be faster to take it. What an earlier try has
 * done is "already" there for the next.
 */
static int move_anonymous(const struct piece *piece)
{
	struct cxlmem_counts sum = {}, now;
	struct request *request = piece->request;
	unsigned long waited_for, least = ULONG_MAX;
	unsigned int vain = 0;
	u64 earlier;
	int rc;

	for (;;) {
		now = (struct cxlmem_counts) {};
		rc = move_once(piece, &now);
		earlier = sum.moved + sum.created;
		now.already -= min(now.already, earlier);
		sum.moved += now.moved;
		sum.created += now.created;
		sum.split += now.split;
		if (rc || fatal_signal_pending(current))
			break;
		if (now.no_room) {
			if (!make_room(piece, &sum))
				break;
			continue;
		}
		waited_for = in_hand(piece, &now);
		if (!waited_for)
			break;
		if (waited_for >= least) {
			vain = min(vain + 1, MAX_VAIN);
			if (atomic_sub_return(1 << vain, &request->patience) < 0)
				break;
		} else {
			vain = 0;
		}
		least = min(least, waited_for);
		/* Who has them may need this very CPU to be done. */
		schedule_timeout_killable(1 << vain);
	}
	now.moved = sum.moved;
	now.created = sum.created;
	now.split = sum.split;
	now.evicted = sum.evicted;
	add_counts(&piece->batch->counts, &now);

	count_stat(request->cdev, request->what == OUT ? CXLMEM_STAT_MOVED_OUT :
		   CXLMEM_STAT_MOVED_IN, now.moved);
	count_stat(request->cdev, CXLMEM_STAT_CREATED, now.created);
	count_stat(request->cdev, CXLMEM_STAT_SPLIT, now.split);
	if (request->what != OUT)
		count_stat(request->cdev, CXLMEM_STAT_REFUSED, now.no_room);
	if (!rc && now.no_room)
		rc = no_room_error(piece);
	return rc;
}

static int move_mapping(const struct piece *piece)
{
	struct vm_area_struct *vma = piece->vma;
	struct cxlmem_counts *counts = &piece->batch->counts;
	unsigned long n = (piece->end - piece->start) >> PAGE_SHIFT;

	/* What nobody may read cannot be looked at, see look(). */
	if (is_vm_hugetlb_page(vma) || (vma->vm_flags & VM_SPECIAL) ||
	    !(vma->vm_flags & VM_READ)) {
		counts->special += n;
		return 0;
	}
	if (!vma_is_anonymous(vma)) {
		counts->file += n;
		return 0;
	}
	return move_anonymous(piece);
}

/* Does the mappings in a block of addresses; mmap_lock and use are held. */
static int move_block(struct request *request, struct cxlmem_coherent *coherent,
		      unsigned long start, unsigned long end, struct cxlmem_batch *batch)
{
	struct piece piece = { .request = request, .coherent = coherent, .batch = batch };
	unsigned long at = start;
	int rc;

	while (at < end) {
		struct vm_area_struct *vma = find_vma(request->mm, at);

		if (!vma || vma->vm_start >= end) {
			if (at == start)
				cxlmem_work_skip(&request->job,
						 vma ? ALIGN_DOWN(vma->vm_start, CXLMEM_BLOCK) :
						       request->job.end);
			return 0;
		}
		piece.vma = vma;
		piece.start = max(at, vma->vm_start);
		piece.end = min(end, vma->vm_end);
		rc = move_mapping(&piece);
		if (rc)
			return rc;
		at = piece.end;
	}
	return 0;
}

/*
 * The lock of a device is taken inside of that of an address space, and for one
 * block at a time, so that who wants to take the device away has to wait for a
 * block, and not for a process that holds its own lock for long. Nor does a
 * process that ends have to wait for longer until its memory is freed.
 */
static int request_step(struct cxlmem_job *job, u64 at, struct cxlmem_batch *batch)
{
	struct request *request = container_of(job, struct request, job);
	unsigned long start = max_t(u64, at, request->start);
	unsigned long end = min_t(u64, at + CXLMEM_BLOCK, request->end);
	struct cxlmem_coherent *coherent;
	int rc = -EINTR;

	if (!mmget_not_zero(request->mm))
		return -ESRCH;
	if (!mmap_read_lock_killable(request->mm)) {
		down_read(&request->cdev->use);
		coherent = cxlmem_coherent_get(request->cdev);
		rc = IS_ERR(coherent) ? PTR_ERR(coherent) :
					move_block(request, coherent, start, end, batch);
		up_read(&request->cdev->use);
		mmap_read_unlock(request->mm);
	}
	mmput(request->mm);
	return rc;
}

static void request_finish(struct cxlmem_job *job, struct cxlmem_batch *batch)
{
	struct request *request = container_of(job, struct request, job);

	spin_lock(&request->lock);
	add_counts(&request->counts, &batch->counts);
	spin_unlock(&request->lock);
}

/* Whole pages, of which there are some, where a process can have any. */
int cxlmem_check_range(u64 start, u64 length)
{
	u64 end;

	if (!length || !PAGE_ALIGNED(start) || !PAGE_ALIGNED(length) ||
	    check_add_overflow(start, length, &end) || end > TASK_SIZE_MAX)
		return -EINVAL;
	return 0;
}

static u64 counted(const struct cxlmem_counts *counts)
{
	return counts->moved + counts->created + counts->already + counts->empty +
	       counts->absent + counts->host + counts->busy + counts->file + counts->special +
	       counts->no_room;
}

/* Who pays for memory is whose it is, whoever asks for it to be moved. */
static kuid_t user_of(struct mm_struct *mm)
{
#ifdef CONFIG_MEMCG
	struct task_struct *owner;

	guard(rcu)();
	owner = rcu_dereference(mm->owner);
	if (owner)
		return task_uid(owner);
#endif
	return current_uid();
}

static struct cxlmem_claim make_claim(struct cxlmem_device *cdev, struct mm_struct *mm)
{
	struct cxlmem_claim claim = { .uid = user_of(mm), .limit = ULONG_MAX };

	guard(rwsem_read)(&cdev->use);
	if (!cdev->removed && READ_ONCE(cdev->mem->quota) && !capable(CAP_SYS_RESOURCE))
		claim.limit = PHYS_PFN(READ_ONCE(cdev->mem->quota));
	return claim;
}

static int move_range(struct cxlmem_device *cdev, struct mm_struct *mm, struct cxlmem_move *move,
		      enum direction what)
{
	struct request request = {
		.job = {
			.step = request_step,
			.finish = request_finish,
			.next = ATOMIC64_INIT(ALIGN_DOWN(move->start, CXLMEM_BLOCK)),
			.end = move->start + move->length,
			.stride = CXLMEM_BLOCK,
			.interruptible = true,
		},
		.cdev = cdev,
		.mm = mm,
		.what = what,
		.start = move->start,
		.end = move->start + move->length,
		.patience = ATOMIC_INIT(PATIENCE),
	};
	u64 next, sum;
	int rc;

	rc = cxlmem_check_range(move->start, move->length);
	if (rc)
		return rc;
	spin_lock_init(&request.lock);
	request.claim = make_claim(cdev, mm);
	/* Pages that were new a moment ago are busy, in batches of the CPUs they came from. */
	if (what != CREATE)
		cxlmem_drain_cpus();
	rc = cxlmem_work(&request.job);

	next = atomic64_read(&request.job.next);
	move->done = clamp(next, move->start, move->start + move->length) - move->start;
	move->counts = request.counts;
	sum = counted(&request.counts);
	if (move->done >> PAGE_SHIFT > sum)
		move->counts.unmapped = (move->done >> PAGE_SHIFT) - sum;
	trace_cxlmem_move(dev_name(&cdev->dev), direction_names[what], move->start, move->done,
			  &move->counts, rc);
	return rc == -EINTR && move->done ? 0 : rc;
}

/**
 * cxlmem_move_in() - move contents of an address space to the device
 * @cdev: the device, in mode "driver"
 * @mm: the address space; the caller has a reference to the structure, see mmgrab()
 * @move: the range, and how it went
 *
 * What can be moved is moved; what cannot is counted. @move->size, @move->flags
 * and @move->pid are not looked at. Pages are taken for the user whose process
 * it is, who is refused more than the quota unless the calling task has
 * CAP_SYS_RESOURCE, as kernel threads have. A signal to the caller ends it early. Not to be called
 * with an mmap_lock held.
 *
 * Return: 0, or an error number as for CXLMEM_IOC_MOVE_IN, or -ESRCH if the
 * address space is being taken down.
 */
int cxlmem_move_in(struct cxlmem_device *cdev, struct mm_struct *mm, struct cxlmem_move *move)
{
	return move_range(cdev, mm, move, IN);
}
EXPORT_SYMBOL_NS_GPL(cxlmem_move_in, CXLMEM_NS(CXLMEM));

/**
 * cxlmem_create() - create pages on the device where there are none yet
 * @cdev: the device, in mode "driver"
 * @mm: the address space
 * @move: the range, and how it went
 *
 * They are zeroed, and charged as if the process had touched them. For all else
 * see cxlmem_move_in().
 *
 * Return: 0, or an error number as for CXLMEM_IOC_CREATE, or -ESRCH.
 */
int cxlmem_create(struct cxlmem_device *cdev, struct mm_struct *mm, struct cxlmem_move *move)
{
	return move_range(cdev, mm, move, CREATE);
}
EXPORT_SYMBOL_NS_GPL(cxlmem_create, CXLMEM_NS(CXLMEM));

/**
 * cxlmem_move_out() - move what an address space has on the device to the host
 * @cdev: the device, in mode "driver"
 * @mm: the address space
 * @move: the range, and how it went
 *
 * For all else see cxlmem_move_in().
 *
 * Return: 0, or an error number as for CXLMEM_IOC_MOVE_OUT, or -ESRCH.
 */
int cxlmem_move_out(struct cxlmem_device *cdev, struct mm_struct *mm, struct cxlmem_move *move)
{
	return move_range(cdev, mm, move, OUT);
}
EXPORT_SYMBOL_NS_GPL(cxlmem_move_out, CXLMEM_NS(CXLMEM));

static u8 where(const struct cxlmem_device *cdev, unsigned long seen)
{
	u64 at;

	if (seen & HMM_PFN_ERROR)
		return CXLMEM_PAGE_OTHER;
	if (!(seen & HMM_PFN_VALID) || is_zero_pfn(seen_pfn(seen)))
		return CXLMEM_PAGE_NONE;
	at = PFN_PHYS((u64)seen_pfn(seen));
	return at >= cdev->mem->range.start && at <= cdev->mem->range.end ? CXLMEM_PAGE_DEVICE :
									   CXLMEM_PAGE_HOST;
}

/*
 * Looks at no more than a block of addresses from @start on. Returns where to go
 * on, or 0 if the caller is being killed. Where nothing is mapped that is as far
 * as nothing is, and @seen is not written.
 */
static unsigned long glance(struct mm_struct *mm, unsigned long start, unsigned long end,
			    unsigned long *seen, bool *mapped)
{
	struct vm_area_struct *vma;

	if (mmap_read_lock_killable(mm))
		return 0;
	vma = find_vma(mm, start);
	*mapped = vma && vma->vm_start <= start;
	if (*mapped) {
		end = min3(end, vma->vm_end, start + CXLMEM_BLOCK);
		*mapped = !look(mm, start, end, seen);
	} else if (vma) {
		end = min(end, vma->vm_start);
	}
	mmap_read_unlock(mm);
	return end;
}

void cxlmem_forget_places(struct cxlmem_residency *sums)
{
	sums->done = 0;
	sums->none = 0;
	sums->host = 0;
	sums->device = 0;
	sums->other = 0;
}

static void tell(struct cxlmem_residency *sums, u8 place, u64 n)
{
	switch (place) {
	case CXLMEM_PAGE_NONE:
		sums->none += n;
		break;
	case CXLMEM_PAGE_HOST:
		sums->host += n;
		break;
	case CXLMEM_PAGE_DEVICE:
		sums->device += n;
		break;
	case CXLMEM_PAGE_OTHER:
		sums->other += n;
		break;
	}
}

static int find_places(struct cxlmem_device *cdev, struct mm_struct *mm,
		       struct cxlmem_residency *sums, u8 *vector, unsigned long *seen)
{
	unsigned long end = sums->start + sums->length;
	unsigned long at, next, i, n;
	bool mapped;

	for (at = sums->start; at < end; at = next) {
		if (signal_pending(current))
			return -EINTR;
		next = glance(mm, at, end, seen, &mapped);
		if (!next)
			return -EINTR;
		n = (next - at) >> PAGE_SHIFT;
		if (!mapped) {
			tell(sums, CXLMEM_PAGE_OTHER, n);
			if (vector)
				memset(vector, CXLMEM_PAGE_OTHER, n);
		} else {
			guard(rwsem_read)(&cdev->use);
			if (cdev->removed)
				return -ENODEV;
			for (i = 0; i < n; i++) {
				u8 place = where(cdev, seen[i]);

				tell(sums, place, 1);
				if (vector)
					vector[i] = place;
			}
		}
		if (vector)
			vector += n;
		sums->done = next - sums->start;
		cond_resched();
	}
	return 0;
}

/**
 * cxlmem_residency() - where the pages of an address space are
 * @cdev: the device
 * @mm: the address space
 * @sums: the range, and how many pages are where
 * @vector: a byte for each page, may be NULL
 *
 * @sums->size, @sums->flags and @sums->vector are not looked at. Not to be called
 * with an mmap_lock held.
 *
 * Return: 0, or an error number as for CXLMEM_IOC_RESIDENCY, or -ESRCH if the
 * address space is being taken down.
 */
int cxlmem_residency(struct cxlmem_device *cdev, struct mm_struct *mm,
		     struct cxlmem_residency *sums, u8 *vector)
{
	unsigned long *seen __free(kfree) = kmalloc_array(CXLMEM_BLOCK_PAGES, sizeof(*seen),
							  GFP_KERNEL);
	int rc;

	cxlmem_forget_places(sums);
	rc = cxlmem_check_range(sums->start, sums->length);
	if (rc)
		return rc;
	if (!seen)
		return -ENOMEM;
	if (!mmget_not_zero(mm))
		return -ESRCH;
	rc = find_places(cdev, mm, sums, vector, seen);
	mmput(mm);
	return rc == -EINTR && sums->done ? 0 : rc;
}
EXPORT_SYMBOL_NS_GPL(cxlmem_residency, CXLMEM_NS(CXLMEM));
