// SPDX-License-Identifier: GPL-2.0
/*
 * The page allocator of mode "driver": which pages of the device are in use,
 * and whose they are.
 *
 * The range is an array of blocks of 2 MiB, each with a bitmap of its pages.
 * Blocks that are empty and blocks that have room are on lists, so nothing that
 * is done here takes longer if the range is larger. A block costs 104 bytes,
 * 0.005 % of its memory; the kernel's own description of the pages (struct
 * page, 64 bytes each) is what counts: 1.6 %.
 *
 * Blocks in use are also in order of age, of the last page that was taken from
 * them, which is what "oldest first" is about when a full device makes room.
 */
#include <linux/bitmap.h>
#include <linux/hashtable.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "internal.h"

/**
 * struct block - 2 MiB of the device
 * @list: in &cxlmem_pool.empty or &cxlmem_pool.partial; in none if it is full
 * @age: in &cxlmem_pool.aged, unless it is empty
 * @used: bits set in @map
 * @map: the pages in use, or bad
 */
struct block {
	struct list_head list;
	struct list_head age;
	unsigned int used;
	DECLARE_BITMAP(map, CXLMEM_BLOCK_PAGES);
};

/**
 * struct owner - a user with pages on the device; each page points to its own
 * @node: in &cxlmem_pool.owners
 * @pool: where the pages are
 * @uid: who it is
 * @pages: how many; the owner goes with the last one
 */
struct owner {
	struct hlist_node node;
	struct cxlmem_pool *pool;
	kuid_t uid;
	unsigned long pages;
};

/**
 * struct cxlmem_pool - the allocator of one device
 * @lock: guards all that follows; taken where pages are freed, in any context
 * @first: the first page
 * @pages: how many pages there are
 * @used: how many of them are in use
 * @bad: how many are not, but nobody can have them, see cxlmem_pool_retire()
 * @owners: users with pages
 * @empty: blocks without a page in use
 * @partial: blocks with some
 * @aged: blocks with any; the one that has last given a page is at the end
 * @blocks: all blocks
 */
struct cxlmem_pool {
	spinlock_t lock;	/* guards the rest */
	unsigned long first;
	unsigned long pages;
	unsigned long used;
	unsigned long bad;
	DECLARE_HASHTABLE(owners, 6);
	struct list_head empty;
	struct list_head partial;
	struct list_head aged;
	struct block blocks[];
};

struct cxlmem_pool *cxlmem_pool_create(unsigned long first, unsigned long pages)
{
	unsigned long i, n = pages / CXLMEM_BLOCK_PAGES;
	struct cxlmem_pool *pool;

	pool = kvzalloc(struct_size(pool, blocks, n), GFP_KERNEL);
	if (!pool)
		return NULL;
	spin_lock_init(&pool->lock);
	pool->first = first;
	pool->pages = pages;
	hash_init(pool->owners);
	INIT_LIST_HEAD(&pool->empty);
	INIT_LIST_HEAD(&pool->partial);
	INIT_LIST_HEAD(&pool->aged);
	for (i = 0; i < n; i++) {
		list_add_tail(&pool->blocks[i].list, &pool->empty);
		INIT_LIST_HEAD(&pool->blocks[i].age);
	}
	return pool;
}

/* No page may be in use any more. */
void cxlmem_pool_destroy(struct cxlmem_pool *pool)
{
	kvfree(pool);
}

unsigned long cxlmem_pool_pages(const struct cxlmem_pool *pool)
{
	return pool->pages;
}

unsigned long cxlmem_pool_used(const struct cxlmem_pool *pool)
{
	return READ_ONCE(pool->used);
}

bool cxlmem_pool_has(const struct cxlmem_pool *pool, unsigned long pfn)
{
	return pfn >= pool->first && pfn - pool->first < pool->pages;
}

static struct owner *find_owner(struct cxlmem_pool *pool, kuid_t uid)
{
	struct owner *owner;

	lockdep_assert_held(&pool->lock);
	hash_for_each_possible(pool->owners, owner, node, __kuid_val(uid))
		if (uid_eq(owner->uid, uid))
			return owner;
	return NULL;
}

unsigned long cxlmem_pool_used_by(struct cxlmem_pool *pool, kuid_t uid)
{
	unsigned long flags, pages;
	struct owner *owner;

	spin_lock_irqsave(&pool->lock, flags);
	owner = find_owner(pool, uid);
	pages = owner ? owner->pages : 0;
	spin_unlock_irqrestore(&pool->lock, flags);
	return pages;
}

static unsigned long block_pfn(const struct cxlmem_pool *pool, const struct block *block)
{
	return pool->first + (block - pool->blocks) * CXLMEM_BLOCK_PAGES;
}

/* A block that is asked for whole comes from the empty ones, if there are any. */
static struct block *block_to_take_from(struct cxlmem_pool *pool, unsigned long wanted)
{
	struct list_head *preferred = &pool->partial, *other = &pool->empty;

	if (wanted == CXLMEM_BLOCK_PAGES)
		swap(preferred, other);
	if (list_empty(preferred))
		preferred = other;
	return list_first_entry(preferred, struct block, list);
}

/* Puts a block of which something was taken where it belongs then. */
static void sort_in(struct cxlmem_pool *pool, struct block *block)
{
	if (block->used == CXLMEM_BLOCK_PAGES)
		list_del_init(&block->list);
	else
		list_move(&block->list, &pool->partial);
	list_move_tail(&block->age, &pool->aged);
}

static unsigned long take_from_block(struct cxlmem_pool *pool, struct block *block,
				     struct owner *owner, unsigned long wanted, unsigned long *pfns)
{
	unsigned long first = block_pfn(pool, block);
	unsigned long bit, n = 0;

	for_each_clear_bit(bit, block->map, CXLMEM_BLOCK_PAGES) {
		if (n == wanted)
			break;
		pfns[n] = first + bit;
		pfn_to_page(pfns[n++])->zone_device_data = owner;
		__set_bit(bit, block->map);
	}
	block->used += n;
	sort_in(pool, block);
	return n;
}

/*
 * Takes up to @n pages for a user and returns how many it got. They are in use,
 * but not initialised: that is what zone_device_page_init() is for, and from
 * then on the last reference frees them.
 */
unsigned long cxlmem_pool_take(struct cxlmem_pool *pool, const struct cxlmem_claim *claim,
			       unsigned long n, unsigned long *pfns)
{
	/* So small that it does not fail; what is returned is about the device's room. */
	struct owner *owner, *fresh = kzalloc(sizeof(*fresh), GFP_KERNEL | __GFP_NOFAIL);
	unsigned long flags, taken = 0;

	fresh->pool = pool;
	fresh->uid = claim->uid;

	spin_lock_irqsave(&pool->lock, flags);
	owner = find_owner(pool, claim->uid) ?: fresh;
	n = min3(n, claim->limit - min(claim->limit, owner->pages),
		 pool->pages - pool->used - pool->bad);
	if (n && owner == fresh) {
		hash_add(pool->owners, &owner->node, __kuid_val(owner->uid));
		fresh = NULL;
	}
	while (taken < n)
		taken += take_from_block(pool, block_to_take_from(pool, n - taken), owner,
					 n - taken, pfns + taken);
	owner->pages += n;
	WRITE_ONCE(pool->used, pool->used + n);
	spin_unlock_irqrestore(&pool->lock, flags);
	kfree(fresh);
	return n;
}

static void drop_owned_page(struct owner *owner)
{
	if (--owner->pages)
		return;
	hash_del(&owner->node);
	kfree(owner);
}

static void give_back(struct cxlmem_pool *pool, struct block *block, unsigned long bit)
{
	__clear_bit(bit, block->map);
	block->used--;
	if (!block->used) {
		list_move(&block->list, &pool->empty);
		list_del_init(&block->age);
	} else if (block->used == CXLMEM_BLOCK_PAGES - 1) {
		list_add(&block->list, &pool->partial);
	}
}

/* Called wherever the last reference of a page goes, interrupts included. */
void cxlmem_pool_free(struct page *page)
{
	struct owner *owner = page->zone_device_data;
	struct cxlmem_pool *pool = owner->pool;
	unsigned long i = page_to_pfn(page) - pool->first;
	struct block *block = &pool->blocks[i / CXLMEM_BLOCK_PAGES];
	unsigned long flags;

	spin_lock_irqsave(&pool->lock, flags);
	page->zone_device_data = NULL;
	if (PageHWPoison(page))
		pool->bad++;
	else
		give_back(pool, block, i % CXLMEM_BLOCK_PAGES);
	drop_owned_page(owner);
	WRITE_ONCE(pool->used, pool->used - 1);
	spin_unlock_irqrestore(&pool->lock, flags);
}

/* A page has a memory error: nobody gets it any more, once its user has let go of it. */
void cxlmem_pool_retire(struct cxlmem_pool *pool, unsigned long pfn)
{
	unsigned long i = pfn - pool->first;
	struct block *block = &pool->blocks[i / CXLMEM_BLOCK_PAGES];
	unsigned long flags;

	spin_lock_irqsave(&pool->lock, flags);
	if (!TestSetPageHWPoison(pfn_to_page(pfn)) &&
	    !__test_and_set_bit(i % CXLMEM_BLOCK_PAGES, block->map)) {
		block->used++;
		sort_in(pool, block);
		pool->bad++;
	}
	spin_unlock_irqrestore(&pool->lock, flags);
}

/*
 * The first page of the block that has not given a page for the longest time, or
 * 0 if none is in use. It is the youngest then, so that the next to ask, and
 * whoever asks again since nothing there could be moved, gets another one.
 */
unsigned long cxlmem_pool_oldest(struct cxlmem_pool *pool)
{
	unsigned long flags, pfn = 0;
	struct block *block;

	spin_lock_irqsave(&pool->lock, flags);
	block = list_first_entry_or_null(&pool->aged, struct block, age);
	if (block) {
		list_move_tail(&block->age, &pool->aged);
		pfn = block_pfn(pool, block);
	}
	spin_unlock_irqrestore(&pool->lock, flags);
	return pfn;
}

/* How many pages are in use of the block that begins with @pfn. */
unsigned int cxlmem_pool_block_used(const struct cxlmem_pool *pool, unsigned long pfn)
{
	return READ_ONCE(pool->blocks[(pfn - pool->first) / CXLMEM_BLOCK_PAGES].used);
}

/* A page that somebody has, or 0. */
static unsigned long find_owned(struct cxlmem_pool *pool)
{
	struct block *block;
	unsigned long bit;

	list_for_each_entry(block, &pool->aged, age)
		for_each_set_bit(bit, block->map, CXLMEM_BLOCK_PAGES)
			if (pfn_to_page(block_pfn(pool, block) + bit)->zone_device_data)
				return block_pfn(pool, block) + bit;
	return 0;
}

/* A page in use, to name in a message, and its owner; 0 if there is none. */
unsigned long cxlmem_pool_example(struct cxlmem_pool *pool, kuid_t *uid)
{
	const struct owner *owner;
	unsigned long flags, pfn;

	spin_lock_irqsave(&pool->lock, flags);
	pfn = find_owned(pool);
	if (pfn) {
		owner = pfn_to_page(pfn)->zone_device_data;
		*uid = owner->uid;
	}
	spin_unlock_irqrestore(&pool->lock, flags);
	return pfn;
}
