// SPDX-License-Identifier: GPL-2.0
/*
 * Mode "cma": the memory blocks are online as in mode "system", movable, so that
 * the OS can borrow them; and contiguous pieces are claimed back whenever somebody
 * wants one, see buffer.c.
 *
 * The memory is managed in blocks of 2 MiB (not to be confused with the kernel's
 * memory blocks, which come online and go). A block that we have is not free memory
 * to the kernel but PageOffline(), with one reference, and not counted in its zone;
 * nothing can get at it, and its memory block cannot be offlined. There are two ways
 * to get one: alloc_contig_range() moves away what the OS has there; and while the
 * memory is not lent, pages that come online are kept before the OS has ever seen
 * them (set_online_page_callback()). Leaving the mode, such pages are not given to
 * the OS either: they go off line as they are. So with lend=off no page of the OS
 * gets to the device, not even for a moment.
 */
#include <linux/bitmap.h>
#include <linux/capability.h>
#include <linux/cleanup.h>
#include <linux/cred.h>
#include <linux/kref.h>
#include <linux/memory.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <linux/vmstat.h>

#include "heap.h"
#include "internal.h"

/* Blocks that are taken from the OS at a time. In between, signals are looked at. */
#define STRIDE		(SZ_128M / CXLMEM_BLOCK)

/* How often what cannot be moved is tried again, and how long it is left alone before. */
#define MAX_ATTEMPTS	3
#define PAUSE		(HZ / 10)

#define BLOCK_ORDER	ilog2(CXLMEM_BLOCK_PAGES)

/* What a block is. */
enum state {
	OUT,		/* its memory block is off line */
	ARRIVING,	/* ... is just coming online */
	LENT,		/* the OS has it */
	LEAVING,	/* the OS has it, and its memory block is going off line */
	TAKING,		/* is being taken from the OS */
	FREE,		/* we have it, and nobody else */
	GOING,		/* the same, and its memory block is going off line */
	CLAIMED,	/* belongs to an extent */
};

/**
 * struct cxlmem_cma - what mode "cma" needs
 * @ref: the mode, and each extent, has a reference
 * @all: in the list of all that there are
 * @first: the first page
 * @size: number of blocks
 * @before: bytes of the device's range before the first block
 * @taking: one call of alloc_contig_range() at a time, so that none of them finds
 *	    pages that another one has isolated, and fails
 * @lock: guards all that follows; taken inside of the kernel's hotplug lock, so
 *	  nothing that takes that may be called with it
 * @lend: the OS gets the blocks that nobody has claimed
 * @closing: the mode is being entered or left: there are no claims
 * @changes: counts what could be good news for who waits for a block
 * @changed: woken at each of them
 * @extents: all extents
 * @pending: how many of them are
 * @states: what each block is
 */
struct cxlmem_cma {
	struct kref ref;
	struct list_head all;
	unsigned long first;
	unsigned long size;
	u64 before;
	struct mutex taking;	/* around alloc_contig_range() */
	struct mutex lock;	/* guards the rest */
	bool lend;
	bool closing;
	unsigned long changes;
	wait_queue_head_t changed;
	struct list_head extents;
	unsigned int pending;
	u8 states[];
};

/*
 * Where pages that come online are sought, and what guards it: inside of the kernel's
 * hotplug lock. The kernel has room for one who wants to see those pages; hooked says
 * if it is us. That is asked for with hook_lock held, outside of the hotplug lock.
 */
static LIST_HEAD(cmas);
static DEFINE_MUTEX(cmas_lock);
static DEFINE_MUTEX(hook_lock);
static bool hooked;

static unsigned long block_pfn(const struct cxlmem_cma *cma, unsigned long i)
{
	return cma->first + i * CXLMEM_BLOCK_PAGES;
}

static u64 block_offset(const struct cxlmem_cma *cma, unsigned long blocks)
{
	return blocks * (u64)CXLMEM_BLOCK;
}

static unsigned long count(const struct cxlmem_cma *cma, enum state state)
{
	unsigned long i, n = 0;

	for (i = 0; i < cma->size; i++)
		n += cma->states[i] == state;
	return n;
}

static void set(struct cxlmem_cma *cma, unsigned long first, unsigned long n, enum state state)
{
	lockdep_assert_held(&cma->lock);
	memset(&cma->states[first], state, n);
}

static void tell_waiters(struct cxlmem_cma *cma)
{
	lockdep_assert_held(&cma->lock);
	cma->changes++;
	wake_up_all(&cma->changed);
}

static int wait_for_change(struct cxlmem_cma *cma, unsigned long seen, long timeout)
{
	long rc = wait_event_interruptible_timeout(cma->changed, READ_ONCE(cma->changes) != seen,
						   timeout);

	return rc < 0 ? -EINTR : 0;
}

static void free_cma(struct kref *ref)
{
	struct cxlmem_cma *cma = container_of(ref, struct cxlmem_cma, ref);

	mutex_destroy(&cma->lock);
	mutex_destroy(&cma->taking);
	kvfree(cma);
}

/* --- between the OS and us */

/*
 * The kernel moves huge pages of hugetlb within their node only, and so runs out of
 * memory for them however much there is elsewhere. They are in the way, then, as is
 * what is pinned.
 */
static int whose_fault(const struct cxlmem_cma *cma, int error, unsigned long pages)
{
	if (error == -ENOMEM &&
	    cxlmem_host_room(pfn_to_nid(cma->first)) >= PFN_PHYS((u64)pages))
		return -EBUSY;
	return error;
}

/* Returns 0 or an error number, and all of it is ours or none. */
static int take_from_os(struct cxlmem_cma *cma, unsigned long first, unsigned long n)
{
	unsigned long pfn = block_pfn(cma, first), pages = n * CXLMEM_BLOCK_PAGES, i;
	int rc;

	if (mutex_lock_interruptible(&cma->taking))
		return -EINTR;
	rc = alloc_contig_range(pfn, pfn + pages, CXLMEM_CONTIG, GFP_KERNEL | __GFP_NOWARN);
	mutex_unlock(&cma->taking);
	if (rc)
		return whose_fault(cma, rc, pages);
	for (i = 0; i < pages; i++)
		__SetPageOffline(pfn_to_page(pfn + i));
	adjust_managed_page_count(pfn_to_page(pfn), -(long)pages);
	return 0;
}

/* The reverse, and what is done with pages that come online, too. */
static void give_to_os(struct cxlmem_cma *cma, unsigned long i)
{
	generic_online_page(pfn_to_page(block_pfn(cma, i)), BLOCK_ORDER);
}

/* What nobody needs any more is free, or the OS's. */
static void put_back(struct cxlmem_cma *cma, unsigned long first, unsigned long n)
{
	unsigned long i;

	for (i = first; i < first + n; i++) {
		if (cma->lend)
			give_to_os(cma, i);
		cma->states[i] = cma->lend ? LENT : FREE;
		cond_resched();
	}
	tell_waiters(cma);
}

/* How many pages of a block the OS uses. A glimpse: the block may be in use right now. */
static unsigned int used_pages(const struct cxlmem_cma *cma, unsigned long block)
{
	unsigned long first = block_pfn(cma, block), i = 0;
	unsigned int order, used = 0;

	/* A free page that is larger than a block may begin before it. */
	for (order = BLOCK_ORDER + 1; order <= MAX_PAGE_ORDER; order++) {
		const struct page *page = pfn_to_page(ALIGN_DOWN(first, 1ul << order));

		if (PageBuddy(page) && READ_ONCE(page->private) >= order)
			return 0;
	}
	while (i < CXLMEM_BLOCK_PAGES) {
		const struct page *page = pfn_to_page(first + i);

		order = PageBuddy(page) ? READ_ONCE(page->private) : 0;
		used += !PageBuddy(page);
		i += 1ul << min(order, MAX_PAGE_ORDER);
	}
	return used;
}

/* The first page of a block that somebody uses, if there is one. */
static u64 first_used_page(const struct cxlmem_cma *cma, unsigned long block)
{
	unsigned long first = block_pfn(cma, block), i;

	for (i = 0; i < CXLMEM_BLOCK_PAGES; i++)
		if (page_count(pfn_to_page(first + i)))
			return PFN_PHYS((u64)(first + i));
	return PFN_PHYS((u64)first);
}

/*
 * Takes blocks that are TAKING, which end up as @state. One that cannot be taken
 * is named in @bad, and the error is -EBUSY; those after it are TAKING still.
 */
static int take_blocks(struct cxlmem_cma *cma, unsigned long first, unsigned long end,
		       enum state state, unsigned long *bad)
{
	unsigned long at = first, stride = STRIDE, n;
	int rc, attempts = 0;

	while (at < end) {
		if (signal_pending(current))
			return -EINTR;
		if (READ_ONCE(cma->closing))
			return -ENODEV;
		/* Nobody but us changes a block that is TAKING, or makes one so. */
		if (READ_ONCE(cma->states[at]) != TAKING) {
			at++;
			continue;
		}
		n = 1;
		while (n < stride && at + n < end && READ_ONCE(cma->states[at + n]) == TAKING)
			n++;
		rc = take_from_os(cma, at, n);
		if (rc == -EBUSY && (n > 1 || attempts++ < MAX_ATTEMPTS)) {
			/* Which of them is it? */
			stride = 1;
			continue;
		}
		if (rc) {
			*bad = at;
			return rc;
		}
		scoped_guard(mutex, &cma->lock)
			set(cma, at, n, state);
		at += n;
		attempts = 0;
	}
	return 0;
}

/* --- memory blocks that come and go */

static int going_online(struct cxlmem_cma *cma, unsigned long first, unsigned long n)
{
	/* They could not be kept from the OS. */
	if (!cma->lend && !hooked)
		return -EPERM;
	set(cma, first, n, ARRIVING);
	return 0;
}

/* Pages that are ours are dropped as they are, if the mode is being left. */
static int going_offline(struct cxlmem_cma *cma, unsigned long first, unsigned long n)
{
	unsigned long i, k;

	for (i = first; i < first + n; i++)
		if (cma->states[i] == CLAIMED || cma->states[i] == TAKING ||
		    (cma->states[i] == FREE && !cma->closing))
			return -EBUSY;
	for (i = first; i < first + n; i++) {
		if (cma->states[i] == LENT)
			cma->states[i] = LEAVING;
		if (cma->states[i] != FREE)
			continue;
		for (k = 0; k < CXLMEM_BLOCK_PAGES; k++)
			page_ref_dec(pfn_to_page(block_pfn(cma, i) + k));
		cma->states[i] = GOING;
	}
	return 0;
}

static void stay_online(struct cxlmem_cma *cma, unsigned long first, unsigned long n)
{
	unsigned long i, k;

	for (i = first; i < first + n; i++) {
		if (cma->states[i] == LEAVING)
			cma->states[i] = LENT;
		if (cma->states[i] != GOING)
			continue;
		for (k = 0; k < CXLMEM_BLOCK_PAGES; k++)
			page_ref_inc(pfn_to_page(block_pfn(cma, i) + k));
		cma->states[i] = FREE;
	}
}

static void change(struct cxlmem_cma *cma, unsigned long first, unsigned long n, enum state from,
		   enum state to)
{
	unsigned long i;

	for (i = first; i < first + n; i++)
		if (cma->states[i] == from)
			cma->states[i] = to;
}

/* The guard of system.c hands on what happens to our memory blocks. */
int cxlmem_cma_notify(struct cxlmem_cma *cma, unsigned long action, unsigned long pfn,
		      unsigned long pages)
{
	unsigned long first = (pfn - cma->first) / CXLMEM_BLOCK_PAGES;
	unsigned long n = pages / CXLMEM_BLOCK_PAGES;
	int rc = 0;

	guard(mutex)(&cma->lock);
	switch (action) {
	case MEM_GOING_ONLINE:
		rc = going_online(cma, first, n);
		break;
	case MEM_CANCEL_ONLINE:
		change(cma, first, n, ARRIVING, OUT);
		break;
	case MEM_ONLINE:
		change(cma, first, n, ARRIVING, LENT);
		break;
	case MEM_GOING_OFFLINE:
		rc = going_offline(cma, first, n);
		break;
	case MEM_CANCEL_OFFLINE:
		stay_online(cma, first, n);
		break;
	case MEM_OFFLINE:
		set(cma, first, n, OUT);
		break;
	}
	tell_waiters(cma);
	return rc ? notifier_from_errno(rc) : NOTIFY_OK;
}

/* Keeps pages that come online, if they are not to be lent. */
static bool keep(struct page *page, unsigned long pages)
{
	unsigned long pfn = page_to_pfn(page), first;
	struct cxlmem_cma *cma;

	guard(mutex)(&cmas_lock);
	list_for_each_entry(cma, &cmas, all) {
		first = (pfn - cma->first) / CXLMEM_BLOCK_PAGES;
		if (pfn < cma->first || first >= cma->size)
			continue;
		guard(mutex)(&cma->lock);
		if (!cma->lend)
			change(cma, first, pages / CXLMEM_BLOCK_PAGES, ARRIVING, FREE);
		return !cma->lend;
	}
	return false;
}

static void page_comes_online(struct page *page, unsigned int order)
{
	if (!keep(page, 1ul << order))
		generic_online_page(page, order);
}

/* False if another driver has got in before us. Then no page can be kept. */
static bool hook(struct cxlmem_cma *cma)
{
	bool first;

	guard(mutex)(&hook_lock);
	scoped_guard(mutex, &cmas_lock) {
		first = list_empty(&cmas);
		list_add(&cma->all, &cmas);
	}
	if (first)
		hooked = !set_online_page_callback(page_comes_online);
	return hooked;
}

static void unhook(struct cxlmem_cma *cma)
{
	bool last;

	guard(mutex)(&hook_lock);
	scoped_guard(mutex, &cmas_lock) {
		list_del(&cma->all);
		last = list_empty(&cmas);
	}
	if (last && hooked) {
		restore_online_page_callback(page_comes_online);
		hooked = false;
	}
}

/* --- claims */

/* What a request looks for, and what it has found out on the way. */
struct search {
	unsigned long align;	/* pages */
	bool only_free;
	unsigned long *bad;	/* a bit for each block that could not be taken */
	u16 *used;		/* pages for each block */
	unsigned long best;
	unsigned long best_used;
};

#define NOT_AVAILABLE	U16_MAX

static void free_search(struct search *search)
{
	bitmap_free(search->bad);
	kvfree(search->used);
}

static int alloc_search(struct search *search, const struct cxlmem_cma *cma)
{
	search->bad = bitmap_zalloc(cma->size, GFP_KERNEL);
	search->used = kvmalloc_array(cma->size, sizeof(*search->used), GFP_KERNEL);
	if (search->bad && search->used)
		return 0;
	free_search(search);
	return -ENOMEM;
}

static u16 look_at(const struct cxlmem_cma *cma, const struct search *search, unsigned long i)
{
	switch (cma->states[i]) {
	case FREE:
		return 0;
	case LENT:
		return test_bit(i, search->bad) ? NOT_AVAILABLE : used_pages(cma, i);
	default:
		return NOT_AVAILABLE;
	}
}

/*
 * Where there is the least to move; the first free range, if there is one. Takes a
 * look at each page in use, so it is proportional to the size of the device, but
 * nothing to the time it takes to move them.
 */
static bool find_place(struct cxlmem_cma *cma, struct search *search, unsigned long n)
{
	unsigned long i, first, used = 0, since = 0;

	lockdep_assert_held(&cma->lock);
	search->best_used = ULONG_MAX;
	for (i = 0; i < cma->size && search->best_used; i++) {
		search->used[i] = look_at(cma, search, i);
		if (search->used[i] == NOT_AVAILABLE) {
			since = i + 1;
			used = 0;
			continue;
		}
		used += search->used[i];
		if (i + 1 - since > n) {
			used -= search->used[since];
			since++;
		}
		first = i + 1 - n;
		if (i + 1 - since == n && used < search->best_used &&
		    IS_ALIGNED(block_pfn(cma, first), search->align)) {
			search->best = first;
			search->best_used = used;
		}
		cond_resched();
	}
	return search->best_used != ULONG_MAX;
}

static void reserve(struct cxlmem_cma *cma, const struct search *search, unsigned long n)
{
	unsigned long i;

	for (i = search->best; i < search->best + n; i++)
		cma->states[i] = cma->states[i] == FREE ? CLAIMED : TAKING;
}

/* Whatever has become of a reserved place, it is nobody's now. */
static void unreserve(struct cxlmem_cma *cma, unsigned long first, unsigned long n)
{
	unsigned long i;

	guard(mutex)(&cma->lock);
	for (i = first; i < first + n; i++) {
		if (cma->states[i] == TAKING)
			cma->states[i] = LENT;
		else
			put_back(cma, i, 1);
	}
	tell_waiters(cma);
}

static bool any_on_the_way(const struct cxlmem_cma *cma)
{
	return count(cma, TAKING) || count(cma, ARRIVING);
}

/* What to do if there is no place: 0 to try again, or the error that it is. */
static int no_place(struct cxlmem_cma *cma, struct search *search, u32 flags, unsigned long seen,
		    bool others, int *attempts)
{
	if (flags & CXLMEM_CLAIM_TRY)
		return -ENOSPC;
	/* Others may leave something for us, or may have taken a free place to fail. */
	if (others)
		return wait_for_change(cma, seen, PAUSE);
	if (!bitmap_empty(search->bad, cma->size)) {
		if (!(flags & CXLMEM_CLAIM_WAIT) && ++*attempts >= MAX_ATTEMPTS)
			return -EADDRINUSE;
		bitmap_zero(search->bad, cma->size);
		return wait_for_change(cma, seen, PAUSE);
	}
	if (flags & CXLMEM_CLAIM_WAIT)
		return wait_for_change(cma, seen, MAX_SCHEDULE_TIMEOUT);
	return -ENOSPC;
}

/* Reserves the best place there is: 1, or 0 if there is none, or an error number. */
static int reserve_place(struct cxlmem_cma *cma, struct search *search, unsigned long n,
			 unsigned long *seen, bool *others)
{
	int rc;

	if (mutex_lock_interruptible(&cma->lock))
		return -EINTR;
	*seen = cma->changes;
	*others = any_on_the_way(cma);
	if (cma->closing)
		rc = -ENODEV;
	else if (!find_place(cma, search, n))
		rc = 0;
	else if (search->only_free && search->best_used)
		rc = -EAGAIN;
	else
		rc = 1;
	if (rc == 1)
		reserve(cma, search, n);
	mutex_unlock(&cma->lock);
	return rc;
}

static int claim_place(struct cxlmem_cma *cma, struct cxlmem_extent *extent,
		       struct search *search, u32 flags)
{
	unsigned long n = extent->blocks, seen, bad;
	int rc, attempts = 0;
	bool others;

	for (;;) {
		rc = reserve_place(cma, search, n, &seen, &others);
		if (rc < 0)
			return rc;
		if (!rc) {
			rc = no_place(cma, search, flags, seen, others, &attempts);
			if (rc)
				return rc;
			continue;
		}
		rc = take_blocks(cma, search->best, search->best + n, CLAIMED, &bad);
		if (!rc)
			break;
		unreserve(cma, search->best, n);
		if (rc != -EBUSY)
			return rc;
		extent->obstacle = cma->before + first_used_page(cma, bad) -
				   PFN_PHYS((u64)cma->first);
		set_bit(bad, search->bad);
	}
	extent->first = search->best;
	extent->offset = cma->before + block_offset(cma, extent->first);
	extent->moved = PFN_PHYS((u64)search->best_used);
	extent->obstacle = U64_MAX;
	return 0;
}

static u64 used_by(const struct cxlmem_cma *cma, kuid_t uid)
{
	const struct cxlmem_extent *extent;
	u64 used = 0;

	lockdep_assert_held(&cma->lock);
	list_for_each_entry(extent, &cma->extents, list)
		if (uid_eq(extent->uid, uid))
			used += block_offset(cma, extent->blocks);
	return used;
}

/* From here on the mode cannot be left. */
static int add_extent(struct cxlmem_device *cdev, struct cxlmem_extent *extent)
{
	u64 quota, size = extent->blocks * (u64)CXLMEM_BLOCK;
	struct cxlmem_cma *cma;

	guard(rwsem_read)(&cdev->use);
	cma = cxlmem_cma_get(cdev);
	if (IS_ERR(cma))
		return PTR_ERR(cma);
	quota = READ_ONCE(cdev->mem->quota);
	guard(mutex)(&cma->lock);
	if (cma->closing)
		return -EBUSY;
	if (extent->blocks > cma->size)
		return -ENOSPC;
	if (quota && !capable(CAP_SYS_RESOURCE) && used_by(cma, extent->uid) + size > quota)
		return -EDQUOT;
	extent->cma = cma;
	extent->pending = true;
	cma->pending++;
	kref_get(&cma->ref);
	list_add_tail(&extent->list, &cma->extents);
	return 0;
}

static void drop_extent(struct cxlmem_extent *extent)
{
	struct cxlmem_cma *cma = extent->cma;

	scoped_guard(mutex, &cma->lock) {
		list_del(&extent->list);
		cma->pending -= extent->pending;
		tell_waiters(cma);
	}
	kref_put(&cma->ref, free_cma);
}

/*
 * Claims &cxlmem_extent.blocks for the current process. @align is a power of two,
 * and the extent is pending until its owner says otherwise.
 */
int cxlmem_extent_claim(struct cxlmem_device *cdev, struct cxlmem_extent *extent, u64 align,
			u32 flags)
{
	struct search search = {
		.align = PHYS_PFN(max_t(u64, align, CXLMEM_BLOCK)),
		.only_free = flags & CXLMEM_CLAIM_TRY,
	};
	int rc;

	extent->uid = current_uid();
	extent->pid = task_tgid_nr(current);
	get_task_comm(extent->comm, current);
	extent->obstacle = U64_MAX;
	rc = add_extent(cdev, extent);
	if (rc)
		return rc;
	rc = alloc_search(&search, extent->cma);
	if (!rc) {
		rc = claim_place(extent->cma, extent, &search, flags);
		free_search(&search);
	}
	if (rc)
		drop_extent(extent);
	return rc;
}

void cxlmem_extent_release(struct cxlmem_extent *extent)
{
	scoped_guard(mutex, &extent->cma->lock)
		put_back(extent->cma, extent->first, extent->blocks);
	drop_extent(extent);
}

/* The extent is there, as a dma-buf of that inode, and can be revoked from now on. */
void cxlmem_extent_settle(struct cxlmem_extent *extent, unsigned long id)
{
	guard(mutex)(&extent->cma->lock);
	extent->id = id;
	extent->pending = false;
	extent->cma->pending--;
	tell_waiters(extent->cma);
}

struct page *cxlmem_extent_page(const struct cxlmem_extent *extent)
{
	return pfn_to_page(block_pfn(extent->cma, extent->first));
}

/* --- what there is to see */

/* What there is to work with; the caller holds &cxlmem_device.use. */
struct cxlmem_cma *cxlmem_cma_get(struct cxlmem_device *cdev)
{
	lockdep_assert_held(&cdev->use);
	if (cdev->removed)
		return ERR_PTR(-ENODEV);
	return cdev->mem->cma ?: ERR_PTR(-EBUSY);
}

/* Of the zone that the blocks are in. */
static u64 free_in_zone(const struct cxlmem_cma *cma)
{
	const struct page *page;
	unsigned long i;

	for (i = 0; i < cma->size; i++) {
		if (cma->states[i] != LENT)
			continue;
		page = pfn_to_page(block_pfn(cma, i));
		return PFN_PHYS((u64)zone_page_state(page_zone(page), NR_FREE_PAGES));
	}
	return 0;
}

void cxlmem_cma_look(struct cxlmem_cma *cma, struct cxlmem_cma_state *state)
{
	unsigned long i, run = 0, longest = 0;

	guard(mutex)(&cma->lock);
	for (i = 0; i < cma->size; i++) {
		run = cma->states[i] == LENT || cma->states[i] == FREE ? run + 1 : 0;
		longest = max(longest, run);
	}
	*state = (struct cxlmem_cma_state) {
		.lent = block_offset(cma, count(cma, LENT) + count(cma, LEAVING)),
		.claimed = block_offset(cma, count(cma, CLAIMED)),
		.taking = block_offset(cma, count(cma, TAKING)),
		.free = block_offset(cma, count(cma, FREE)),
		.largest = block_offset(cma, longest),
	};
	state->capacity = state->lent + state->claimed + state->taking + state->free;
	state->free += min(state->lent, free_in_zone(cma));
}

u64 cxlmem_cma_used_by(struct cxlmem_cma *cma, kuid_t uid)
{
	guard(mutex)(&cma->lock);
	return used_by(cma, uid);
}

/* One line for each claim, as long as there is room for whole ones. */
#define LONGEST_LINE 128
ssize_t cxlmem_cma_list(struct cxlmem_cma *cma, char *buf)
{
	const struct cxlmem_extent *extent;
	ssize_t n = 0;

	guard(mutex)(&cma->lock);
	list_for_each_entry(extent, &cma->extents, list)
		if (!extent->pending && n < PAGE_SIZE - LONGEST_LINE)
			n += sysfs_emit_at(buf, n, "%lu %#llx %llu %u %d %*pE\n", extent->id,
					   extent->offset,
					   block_offset(cma, extent->blocks),
					   from_kuid(&init_user_ns, extent->uid), extent->pid,
					   (int)strlen(extent->comm), extent->comm);
	return n;
}

/* --- lending */

static bool next_lent(struct cxlmem_cma *cma, unsigned long *first, unsigned long *n)
{
	unsigned long i;

	lockdep_assert_held(&cma->lock);
	for (i = 0; i < cma->size && cma->states[i] != LENT; i++)
		;
	*first = i;
	for (; i < cma->size && cma->states[i] == LENT && i - *first < STRIDE; i++)
		;
	*n = i - *first;
	return *n;
}

/* Takes all that the OS has, or an error says what could not be taken. */
static int take_all(struct cxlmem_device *cdev, struct cxlmem_cma *cma, unsigned long *bad)
{
	unsigned long first, n, seen;
	bool others;
	int rc;

	for (;;) {
		scoped_guard(mutex, &cma->lock) {
			seen = cma->changes;
			others = any_on_the_way(cma) || count(cma, LEAVING);
			if (next_lent(cma, &first, &n))
				set(cma, first, n, TAKING);
		}
		if (n) {
			rc = take_blocks(cma, first, first + n, FREE, bad);
			scoped_guard(mutex, &cma->lock) {
				change(cma, first, n, TAKING, LENT);
				tell_waiters(cma);
			}
		} else if (others) {
			rc = wait_for_change(cma, seen, PAUSE);
		} else {
			return 0;
		}
		if (!rc && cxlmem_is_urgent(cdev))
			rc = -ENODEV;
		if (rc)
			return rc;
	}
}

static void set_lend(struct cxlmem_cma *cma, bool lend)
{
	unsigned long i;

	guard(mutex)(&cma->lock);
	cma->lend = lend;
	for (i = 0; lend && i < cma->size; i++)
		if (cma->states[i] == FREE)
			put_back(cma, i, 1);
}

/* The host is to be asked before anything is moved, and never to run out of memory. */
static int check_room(struct cxlmem_device *cdev, struct cxlmem_cma *cma)
{
	u64 room = cxlmem_host_room(cdev->mem->node);
	u64 used;

	scoped_guard(mutex, &cma->lock) {
		used = block_offset(cma, count(cma, LENT));
		used -= min(used, free_in_zone(cma));
	}
	if (used <= room)
		return 0;
	return cxlmem_refuse(cdev, -ENOSPC,
			     "the OS uses %lu MiB of the device, and the rest of the machine can take %lu MiB",
			     to_mib(used), to_mib(room));
}

static int refuse_to_take(struct cxlmem_device *cdev, int error, unsigned long bad)
{
	const struct cxlmem_cma *cma = cdev->mem->cma;

	switch (error) {
	case -EINTR:
		return cxlmem_refuse(cdev, error, "stopped by a signal; the memory is lent as before");
	case -ENODEV:
		return cxlmem_refuse(cdev, error, "the device is being removed, or is broken");
	case -ENOMEM:
		return cxlmem_refuse(cdev, error, "the rest of the machine has no room for what the OS has on the device; the memory is lent as before");
	default:
		return cxlmem_refuse(cdev, error,
				     "what the OS has at %#llx cannot be moved, since it is in use by I/O or the kernel, or a huge page of hugetlb (%pe); the memory is lent as before",
				     first_used_page(cma, bad), ERR_PTR(error));
	}
}

/* Called with &cxlmem_device.lock held. */
int cxlmem_cma_lend(struct cxlmem_device *cdev, bool lend)
{
	struct cxlmem_memory *mem = cdev->mem;
	struct cxlmem_cma *cma = mem->cma;
	unsigned long bad = 0;
	int rc;

	lockdep_assert_held(&cdev->lock);
	if (cma && cma->lend != lend) {
		if (!lend) {
			rc = check_room(cdev, cma);
			if (rc)
				return rc;
		}
		set_lend(cma, lend);
		rc = lend ? 0 : take_all(cdev, cma, &bad);
		if (rc) {
			set_lend(cma, true);
			return refuse_to_take(cdev, rc, bad);
		}
	}
	WRITE_ONCE(mem->lend, lend);
	return 0;
}

/* --- in and out */

static void set_cma(struct cxlmem_device *cdev, struct cxlmem_cma *cma)
{
	guard(rwsem_write)(&cdev->use);
	cdev->mem->cma = cma;
}

static struct cxlmem_cma *alloc_cma(const struct cxlmem_memory *mem)
{
	unsigned long size = range_len(&mem->usable) / CXLMEM_BLOCK;
	struct cxlmem_cma *cma = kvzalloc(struct_size(cma, states, size), GFP_KERNEL);

	if (!cma)
		return NULL;
	kref_init(&cma->ref);
	mutex_init(&cma->taking);
	mutex_init(&cma->lock);
	init_waitqueue_head(&cma->changed);
	INIT_LIST_HEAD(&cma->extents);
	cma->first = PHYS_PFN(mem->usable.start);
	cma->size = size;
	cma->before = mem->usable.start - mem->range.start;
	cma->lend = mem->lend;
	cma->closing = true;
	return cma;
}

static void set_closing(struct cxlmem_cma *cma, bool closing)
{
	guard(mutex)(&cma->lock);
	WRITE_ONCE(cma->closing, closing);
	tell_waiters(cma);
}

static void dismiss(struct cxlmem_device *cdev, struct cxlmem_cma *cma)
{
	unhook(cma);
	set_cma(cdev, NULL);
	kref_put(&cma->ref, free_cma);
}

/*
 * As a dma-heap, where the kernel lets us add one. It stays when the mode is left, since
 * it can not be removed; who asks it for memory then is told that there is none.
 */
void cxlmem_cma_offer(struct cxlmem_device *cdev)
{
	int rc = cxlmem_heap_offer(cdev->mem->name, cdev, cxlmem_claim);

	if (rc && rc != -EOPNOTSUPP)
		dev_warn(&cdev->dev, "there is no dma-heap of it (%pe); /dev/%s is there\n",
			 ERR_PTR(rc), cdev->mem->name);
}

/*
 * The memory map stays on the host: on the device it would be at the beginning of
 * each memory block, and no piece could be longer than one.
 */
static int enter_cma(struct cxlmem_device *cdev)
{
	struct cxlmem_memory *mem = cdev->mem;
	struct cxlmem_cma *cma;
	int rc;

	if (mem->zone != CXLMEM_ZONE_MOVABLE)
		return cxlmem_refuse(cdev, -EINVAL,
				     "the zone is kernel, where the OS puts what cannot be moved; set the zone movable");
	cma = alloc_cma(mem);
	if (!cma)
		return cxlmem_refuse(cdev, -ENOMEM, "no memory for the list of blocks");
	set_cma(cdev, cma);
	if (!hook(cma) && !mem->lend) {
		dismiss(cdev, cma);
		return cxlmem_refuse(cdev, -EBUSY,
				     "another driver (of a hypervisor's memory, most likely) watches over memory that comes online, so it cannot be kept from the OS; enter the mode with lend on, bring the memory online, then switch lend off");
	}
	rc = cxlmem_add_blocks(cdev, false);
	if (rc) {
		dismiss(cdev, cma);
		return rc;
	}
	set_closing(cma, false);
	cxlmem_cma_offer(cdev);
	return 0;
}

/* Who has a claim now; who made it, if it is in no process's files. */
static int name_holder(const struct cxlmem_extent *extent, char *text, size_t size)
{
	unsigned long mib = to_mib(block_offset(extent->cma, extent->blocks));
	struct task_struct *holder __free(put_task) = NULL;
	char comm[TASK_COMM_LEN];

	if (!extent->pending)
		holder = cxlmem_buffer_holder(extent);
	if (holder) {
		get_task_comm(comm, holder);
		return scnprintf(text, size, "%lu MiB by pid %d (%*pE)", mib,
				 task_tgid_nr(holder), (int)strlen(comm), comm);
	}
	return scnprintf(text, size, "%lu MiB %s, made by pid %d (%*pE)", mib,
			 extent->pending ? "just now" : "that no process has open",
			 extent->pid, (int)strlen(extent->comm), extent->comm);
}

/* As many claims as fit in a message. */
static int refuse_leaving(struct cxlmem_device *cdev, struct cxlmem_cma *cma)
{
	char who[CXLMEM_ERROR_LEN] = "";
	const struct cxlmem_extent *extent;
	unsigned long blocks = 0;
	int at = 0;

	lockdep_assert_held(&cma->lock);
	list_for_each_entry(extent, &cma->extents, list) {
		blocks += extent->blocks;
		/* To look for who has one takes a look at every process. */
		if (at >= sizeof(who) - 1)
			continue;
		at += scnprintf(who + at, sizeof(who) - at, "%s", at ? ", " : "");
		at += name_holder(extent, who + at, sizeof(who) - at);
	}
	return cxlmem_refuse(cdev, -EBUSY, "%lu MiB are claimed: %s",
			     to_mib(block_offset(cma, blocks)), who);
}

/* The device goes, whatever anybody says: claims under way fail, the others are void. */
static void revoke_all(struct cxlmem_cma *cma)
{
	struct cxlmem_extent *extent;

	set_closing(cma, true);
	wait_event(cma->changed, !READ_ONCE(cma->pending));
	guard(mutex)(&cma->lock);
	list_for_each_entry(extent, &cma->extents, list)
		cxlmem_buffer_revoke(extent);
}

static int leave_cma(struct cxlmem_device *cdev, u64 *evacuated)
{
	struct cxlmem_memory *mem = cdev->mem;
	struct cxlmem_cma *cma = mem->cma;
	int rc;

	if (cdev->removed)
		revoke_all(cma);
	scoped_guard(mutex, &cma->lock) {
		if (!list_empty(&cma->extents)) {
			WRITE_ONCE(cma->closing, false);
			return refuse_leaving(cdev, cma);
		}
		WRITE_ONCE(cma->closing, true);
	}
	rc = cxlmem_offline_and_remove(cdev, evacuated);
	if (rc) {
		set_closing(cma, false);
		return rc;
	}
	dismiss(cdev, cma);
	cxlmem_release_node(mem);
	return 0;
}

const struct cxlmem_mode cxlmem_mode_cma = {
	.name = "cma",
	.enter = enter_cma,
	.leave = leave_cma,
	.progress = cxlmem_blocks_progress,
};
