// SPDX-License-Identifier: GPL-2.0
/*
 * Processes' addresses for the engine. It has a page table for each of them, with what
 * was asked for by its page faults. Before the kernel takes a page away from a process
 * (to unmap, move, swap, share or protect it), invalidate() takes it away from the
 * engine, and returns when no access is under way any more.
 */
#include <linux/cleanup.h>
#include <linux/cred.h>
#include <linux/hash.h>
#include <linux/hmm.h>
#include <linux/iopoll.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "sample.h"

#define TOP_LEVEL	3
#define LEVEL_BITS	9
#define TABLE_ENTRIES	BIT(LEVEL_BITS)
#define ADDRESS_END	BIT_ULL(48)

/* With a page that faults, its neighbours are looked at: what is there is mapped, too. */
#define AROUND		16

static uint hot_wait = 1;
module_param(hot_wait, uint, 0644);
MODULE_PARM_DESC(hot_wait, "seconds before what has left the device comes back on its request (0: at once)");

/* It waits longer each time, up to so many times twice as long. */
#define MAX_ROUNDS	6

static u64 entry_value(const __le64 *entry)
{
	return le64_to_cpu(READ_ONCE(*entry));
}

static __le64 *table_in(u64 value)
{
	return phys_to_virt(value & T2_PTE_ADDRESS);
}

/*
 * The last level's entry for an address. Tables are added by nobody but the thread that
 * serves faults, and stay as long as the context.
 */
static __le64 *make_entry(struct t2_context *ctx, u64 address)
{
	__le64 *table = ctx->root;
	int level;

	for (level = TOP_LEVEL; level; level--) {
		unsigned int shift = PAGE_SHIFT + level * LEVEL_BITS;
		__le64 *entry = &table[(address >> shift) % TABLE_ENTRIES];

		if (!entry_value(entry)) {
			unsigned long new = get_zeroed_page(GFP_KERNEL);

			if (!new)
				return NULL;
			/* The engine may read it at any time: zeroes first. */
			smp_store_release(entry, cpu_to_le64(__pa(new) | T2_PTE_PRESENT));
		}
		table = table_in(entry_value(entry));
	}
	return &table[(address >> PAGE_SHIFT) % TABLE_ENTRIES];
}

/* True if there was something to clear. */
static bool clear_entries(__le64 *table, int level, u64 start, u64 end)
{
	u64 at, next, span = PAGE_SIZE << (level * LEVEL_BITS);
	bool found = false;

	for (at = start; at < end; at = next) {
		__le64 *entry = &table[at / span % TABLE_ENTRIES];
		u64 value = entry_value(entry);

		next = min(end, ALIGN_DOWN(at, span) + span);
		if (!value)
			continue;
		if (level) {
			found |= clear_entries(table_in(value), level - 1, at, next);
		} else {
			WRITE_ONCE(*entry, 0);
			found = true;
		}
	}
	return found;
}

static void free_tables(__le64 *table, int level)
{
	unsigned int i;

	for (i = 0; level && i < TABLE_ENTRIES; i++)
		if (table[i])
			free_tables(table_in(entry_value(&table[i])), level - 1);
	free_page((unsigned long)table);
}

/* Has the engine forget what it remembers of a range; who does not answer is stopped. */
static void forget(struct t2_context *ctx, u64 start, u64 pages)
{
	struct t2_device *dev = ctx->dev;
	u32 before, now;

	lockdep_assert_held(&dev->tables_lock);
	if (dev->stopped)
		return;
	before = t2_read(dev, T2_INV_DONE);
	t2_write64(dev, T2_INV_ADDR, start);
	t2_write(dev, T2_INV_PASID, ctx->pasid);
	t2_write(dev, T2_INV_PAGES, min(pages, T2_INV_ALL));
	if (readl_poll_timeout(dev->regs + T2_INV_DONE, now, now == before + 1, 20, ANSWER_US))
		t2_stop(dev);
}

static bool invalidate(struct mmu_interval_notifier *notifier,
		       const struct mmu_notifier_range *range, unsigned long seq)
{
	struct t2_context *ctx = container_of(notifier, struct t2_context, notifier);
	u64 end = min_t(u64, range->end, ADDRESS_END);

	/* The OOM reaper cannot wait for a device; it leaves such a process to end by itself. */
	if (!mmu_notifier_range_blockable(range))
		return false;
	guard(mutex)(&ctx->dev->tables_lock);
	mmu_interval_set_seq(notifier, seq);
	if (clear_entries(ctx->root, TOP_LEVEL, range->start, end))
		forget(ctx, range->start, (end - range->start) >> PAGE_SHIFT);
	return true;
}

static const struct mmu_interval_notifier_ops notifier_ops = {
	.invalidate = invalidate,
};

static void set_entries(__le64 *entries, const unsigned long *pfns)
{
	unsigned int i;

	for (i = 0; i < AROUND; i++) {
		u64 value = T2_PTE_PRESENT;
		struct page *page;

		if (!(pfns[i] & HMM_PFN_VALID) || pfns[i] & HMM_PFN_ERROR)
			continue;
		page = hmm_pfn_to_page(pfns[i]);
		value |= page_to_phys(page);
		if (pfns[i] & HMM_PFN_WRITE) {
			value |= T2_PTE_WRITE;
			/* No CPU will have the page's writes noted, and MADV_FREE goes by that. */
			if (PageAnon(page))
				set_page_dirty(page);
		}
		WRITE_ONCE(entries[i], cpu_to_le64(value));
	}
}

/* Serves a page fault as the CPU's would be, by the same rights. */
static int bring(struct t2_context *ctx, u64 address, bool write)
{
	u64 start = ALIGN_DOWN(address, AROUND * PAGE_SIZE);
	struct mm_struct *mm = ctx->notifier.mm;
	unsigned long pfns[AROUND];
	struct hmm_range range = {
		.notifier = &ctx->notifier,
		.start = start,
		.end = start + ARRAY_SIZE(pfns) * PAGE_SIZE,
		.hmm_pfns = pfns,
		.pfn_flags_mask = HMM_PFN_REQ_FAULT | HMM_PFN_REQ_WRITE,
	};
	__le64 *entries;
	int rc;

	if (address >= TASK_SIZE_MAX)
		return -EFAULT;
	entries = make_entry(ctx, start);
	if (!entries)
		return -ENOMEM;
	while (!READ_ONCE(ctx->closing)) {
		memset(pfns, 0, sizeof(pfns));
		pfns[(address - start) >> PAGE_SHIFT] =
			HMM_PFN_REQ_FAULT | (write ? HMM_PFN_REQ_WRITE : 0);
		range.notifier_seq = mmu_interval_read_begin(&ctx->notifier);
		mmap_read_lock(mm);
		rc = hmm_range_fault(&range);
		mmap_read_unlock(mm);
		if (rc == -EBUSY)
			continue;
		if (rc)
			return rc;
		guard(mutex)(&ctx->dev->tables_lock);
		if (!mmu_interval_read_retry(&ctx->notifier, range.notifier_seq)) {
			set_entries(entries, pfns);
			return 0;
		}
	}
	return -ECANCELED;
}

static struct t2_context *get_context(struct t2_device *dev, u32 pasid)
{
	struct t2_context *ctx;

	xa_lock(&dev->contexts);
	ctx = xa_load(&dev->contexts, pasid);
	if (ctx && !kref_get_unless_zero(&ctx->ref))
		ctx = NULL;
	xa_unlock(&dev->contexts);
	return ctx;
}

static int serve_fault(struct t2_device *dev, const struct t2_fault *fault)
{
	struct t2_context *ctx = get_context(dev, fault->pasid);
	int rc = -ESRCH;

	if (!ctx)
		return rc;
	/* Who has no memory any more, since he is ending, gets none. */
	if (mmget_not_zero(ctx->notifier.mm)) {
		rc = bring(ctx, fault->address, fault->flags & T2_FAULT_WRITE);
		mmput(ctx->notifier.mm);
	}
	*(rc ? &ctx->stats.refused : &ctx->stats.faults) += 1;
	t2_context_put(ctx);
	return rc;
}

void t2_serve_faults(struct t2_device *dev)
{
	for (;;) {
		struct t2_fault *entry = &dev->faults[dev->faults_taken % ENTRIES], fault;

		/* The engine writes it after all the rest. */
		if (smp_load_acquire(&entry->seq) != dev->faults_taken + 1)
			return;
		fault = *entry;
		t2_write(dev, T2_FAULT_TAKEN, ++dev->faults_taken);
		t2_write(dev, T2_QUEUE(fault.queue) +
			 (serve_fault(dev, &fault) ? T2_QUEUE_REFUSE : T2_QUEUE_RESUME),
			 fault.seq);
	}
}

/*
 * The device wants a unit that it often uses. If it had it just before, somebody else
 * wants it as well (who reads it by DMA, or needs the room), and moving it back and forth
 * would cost more than it is worth: it has to wait, twice as long each time.
 */
static bool moved_lately(struct t2_move *move, u64 unit)
{
	unsigned long wait = (unsigned long)READ_ONCE(hot_wait) * HZ << move->rounds;
	bool known = move->unit == unit;

	if (known && time_before(jiffies, move->at + wait))
		return true;
	move->rounds = known && time_before(jiffies, move->at + 2 * wait) ?
		       min(move->rounds + 1, MAX_ROUNDS) : 0;
	move->unit = unit;
	move->at = jiffies;
	return false;
}

/* Kernel threads have no quota: the memory counts as asked for by who opened the file. */
static void move_hot(struct t2_context *ctx, u64 address)
{
	struct cxlmem_move move = { .start = address, .length = HOT_UNIT };
	u64 unit = address >> HOT_SHIFT;
	const struct cred *own;

	ctx->stats.hot++;
	if (moved_lately(&ctx->moves[hash_64(unit, ilog2(NR_MOVES))], unit)) {
		ctx->stats.damped++;
		return;
	}
	own = override_creds(ctx->cred);
	cxlmem_move_in(ctx->dev->cdev, ctx->notifier.mm, &move);
	revert_creds(own);
	ctx->stats.moved += move.counts.moved;
}

void t2_serve_hot(struct t2_device *dev)
{
	for (;;) {
		struct t2_hot *entry = &dev->hot[dev->hot_taken % ENTRIES], hot;
		struct t2_context *ctx;

		/* The engine writes it after all the rest. */
		if (smp_load_acquire(&entry->seq) != dev->hot_taken + 1)
			return;
		hot = *entry;
		t2_write(dev, T2_HOT_TAKEN, ++dev->hot_taken);
		/* Whose a physical address is the device does not know. */
		ctx = hot.pasid == T2_NO_PASID ? NULL : get_context(dev, hot.pasid);
		if (!ctx)
			continue;
		move_hot(ctx, hot.address);
		t2_context_put(ctx);
	}
}

static void set_root(struct t2_context *ctx, u64 value)
{
	WRITE_ONCE(ctx->dev->pasids[ctx->pasid], cpu_to_le64(value));
}

struct t2_context *t2_context_create(struct t2_device *dev, struct mm_struct *mm)
{
	struct t2_context *ctx = kzalloc(sizeof(*ctx), GFP_KERNEL);
	int rc = -ENOMEM;

	if (!ctx)
		return ERR_PTR(rc);
	kref_init(&ctx->ref);
	xa_init_flags(&ctx->jobs, XA_FLAGS_ALLOC1);
	ctx->dev = dev;
	ctx->root = (__le64 *)get_zeroed_page(GFP_KERNEL);
	if (!ctx->root)
		goto free;
	rc = mmu_interval_notifier_insert(&ctx->notifier, mm, 0, ULONG_MAX & PAGE_MASK,
					  &notifier_ops);
	if (rc)
		goto free;
	rc = xa_alloc(&dev->contexts, &ctx->pasid, ctx,
		      XA_LIMIT(1, PAGE_SIZE / sizeof(*dev->pasids) - 1), GFP_KERNEL);
	if (rc)
		goto remove;
	ctx->cred = get_current_cred();
	kref_get(&dev->ref);
	set_root(ctx, virt_to_phys(ctx->root) | T2_PTE_PRESENT);
	return ctx;

remove:
	mmu_interval_notifier_remove(&ctx->notifier);
free:
	free_page((unsigned long)ctx->root);
	kfree(ctx);
	return ERR_PTR(rc);
}

/* Jobs that are under way fault from now on, and are refused. */
void t2_context_close(struct t2_context *ctx)
{
	scoped_guard(mutex, &ctx->dev->tables_lock) {
		WRITE_ONCE(ctx->closing, true);
		set_root(ctx, 0);
		forget(ctx, 0, T2_INV_ALL);
	}
	t2_context_put(ctx);
}

static void free_context(struct kref *ref)
{
	struct t2_context *ctx = container_of(ref, struct t2_context, ref);

	mmu_interval_notifier_remove(&ctx->notifier);
	xa_erase(&ctx->dev->contexts, ctx->pasid);
	free_tables(ctx->root, TOP_LEVEL);
	xa_destroy(&ctx->jobs);
	put_cred(ctx->cred);
	t2_device_put(ctx->dev);
	kfree(ctx);
}

void t2_context_put(struct t2_context *ctx)
{
	kref_put(&ctx->ref, free_context);
}
