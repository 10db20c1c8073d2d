// SPDX-License-Identifier: GPL-2.0
/*
 * What is on memory that is online, as far as only the kernel can tell: which file
 * systems the page cache there belongs to, and which pages cannot be moved, since
 * somebody holds them or their file system does not know how. The rest is in
 * /proc/kpageflags and /proc/PID/pagemap.
 */
#include <linux/cleanup.h>
#include <linux/fs.h>
#include <linux/memory.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/sysfs.h>

#include "internal.h"

static bool is_of_interest(const struct folio *folio)
{
	return folio_test_lru(folio) || folio_test_anon(folio);
}

/*
 * The folio of a page, if it is one that can be found in page tables or files. No other
 * page gets a reference, not even for a moment: there are owners, mode "cma" for one,
 * who count on having the only one.
 */
static struct folio *get_folio(unsigned long pfn)
{
	struct page *page = pfn_to_online_page(pfn);
	struct folio *folio;

	if (!page)
		return NULL;
	folio = page_folio(page);
	if (!is_of_interest(folio) || !folio_try_get(folio))
		return NULL;
	/* It may have become something else in between. */
	if (page_folio(page) == folio && is_of_interest(folio))
		return folio;
	folio_put(folio);
	return NULL;
}

/* What goes on with each folio of a walk. */
typedef void (*folio_fn)(struct folio *folio, unsigned long pfn, void *data);

static int walk_block(unsigned long pfn, unsigned long end, folio_fn fn, void *data)
{
	while (pfn < end) {
		struct folio *folio = get_folio(pfn);
		unsigned long next = pfn + 1;

		if (folio) {
			next = folio_pfn(folio) + folio_nr_pages(folio);
			fn(folio, pfn, data);
			folio_put(folio);
		}
		pfn = next;
		cond_resched();
		if (signal_pending(current))
			return -EINTR;
	}
	return 0;
}

/*
 * Whoever takes a block off line waits for us before its memory map can go, see
 * cxlmem_contents_wait(); so it is there as long as the mutex is held.
 */
static int walk(struct cxlmem_memory *mem, folio_fn fn, void *data)
{
	unsigned long pages = PHYS_PFN(memory_block_size_bytes());
	unsigned long pfn, end = PHYS_PFN(mem->usable.end + 1);
	int rc = 0;

	for (pfn = PHYS_PFN(mem->usable.start); pfn < end && !rc; pfn += pages) {
		guard(mutex)(&mem->walking);
		if (pfn_to_online_page(pfn))
			rc = walk_block(pfn, pfn + pages, fn, data);
	}
	return rc;
}

/* A block has gone off line: waits until nobody looks at its pages any more. */
void cxlmem_contents_wait(struct cxlmem_memory *mem)
{
	guard(mutex)(&mem->walking);
}

/*
 * Locks a folio of a file, which keeps its pages, and itself, for that time; false if
 * it is none, or others have it.
 */
static bool lock_file(struct folio *folio)
{
	if (folio_test_anon(folio) || !folio_trylock(folio))
		return false;
	if (folio->mapping && folio->mapping->host)
		return true;
	folio_unlock(folio);
	return false;
}

/*
 * What is not written back yet is moved by its file system only, which may not know how:
 * so it is with ramfs, which never writes back. The folio is locked.
 */
static bool is_fixed(const struct folio *folio)
{
	const struct address_space_operations *ops = folio->mapping->a_ops;

	return folio_test_dirty(folio) && !ops->migrate_folio && !cxlmem_writes_to_move(ops);
}

#define MAX_FILE_SYSTEMS 64

struct file_systems {
	unsigned int nr;
	u64 others;
	struct {
		const struct super_block *sb;	/* to compare with, may be gone */
		bool fixed;
		char type[16];
		char name[32];
		u64 bytes;
	} v[MAX_FILE_SYSTEMS];
};

static void add_to_file_system(struct file_systems *all, const struct super_block *sb, bool fixed,
			       u64 bytes)
{
	unsigned int i;

	for (i = 0; i < all->nr; i++)
		if (all->v[i].sb == sb && all->v[i].fixed == fixed)
			break;
	if (i == MAX_FILE_SYSTEMS) {
		all->others += bytes;
		return;
	}
	if (i == all->nr) {
		all->nr++;
		all->v[i].sb = sb;
		all->v[i].fixed = fixed;
		strscpy(all->v[i].type, sb->s_type->name);
		strscpy(all->v[i].name, sb->s_id);
	}
	all->v[i].bytes += bytes;
}

static void count_file(struct folio *folio, unsigned long pfn, void *data)
{
	if (!lock_file(folio))
		return;
	add_to_file_system(data, folio->mapping->host->i_sb, is_fixed(folio), folio_size(folio));
	folio_unlock(folio);
}

static ssize_t files_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct file_systems *all __free(kfree) = kzalloc(sizeof(*all), GFP_KERNEL);
	unsigned int i;
	int rc, n = 0;

	if (!all)
		return -ENOMEM;
	rc = walk(to_cxlmem_device(dev)->mem, count_file, all);
	if (rc)
		return rc;
	for (i = 0; i < all->nr; i++)
		n += sysfs_emit_at(buf, n, "%llu %s %s%s\n", all->v[i].bytes, all->v[i].type,
				   all->v[i].name, all->v[i].fixed ? " fixed" : "");
	if (all->others)
		n += sysfs_emit_at(buf, n, "%llu others -\n", all->others);
	return n;
}
static DEVICE_ATTR_ADMIN_RO(files);

/*
 * How many references are explained: by page tables, by the page cache or the swap
 * cache, by a file system's own data, and by us. More of them mean that somebody
 * is at work on the pages, and the kernel moves no such page.
 */
static int explained_references(const struct folio *folio)
{
	int references = 1 + folio_mapcount(folio);

	if (folio_test_anon(folio))
		return references + (folio_test_swapcache(folio) ? folio_nr_pages(folio) : 0);
	if (folio->mapping)
		references += folio_nr_pages(folio);
	return references + folio_test_private(folio);
}

/* How it is that a folio is not moved. */
struct how {
	char text[24];		/* "" if nothing is known */
};

static void find_out_how(struct folio *folio, struct how *how)
{
	how->text[0] = '\0';
	/* A CPU that has the page in a batch of its own has one reference. */
	if (folio_ref_count(folio) - !folio_test_lru(folio) > explained_references(folio)) {
		strscpy(how->text, folio_maybe_dma_pinned(folio) ? "pinned" : "held");
	} else if (folio_test_dirty(folio) && lock_file(folio)) {
		if (is_fixed(folio))
			scnprintf(how->text, sizeof(how->text), "fixed %s",
				  folio->mapping->host->i_sb->s_type->name);
		folio_unlock(folio);
	}
}

/* Neighbours that are held alike make one line. */
struct held {
	char *buf;
	int n;
	unsigned long first;
	unsigned long end;
	struct how how;
};

static void print_held(struct held *held)
{
	if (held->end > held->first)
		held->n += sysfs_emit_at(held->buf, held->n, "%#llx %llu %s\n",
					 PFN_PHYS((u64)held->first),
					 PFN_PHYS((u64)held->end - held->first),
					 held->how.text);
	held->first = 0;
	held->end = 0;
}

static void find_held(struct folio *folio, unsigned long pfn, void *data)
{
	struct held *held = data;
	unsigned long first = folio_pfn(folio);
	struct how how;

	find_out_how(folio, &how);
	if (!how.text[0])
		return;
	if (first != held->end || strcmp(how.text, held->how.text)) {
		print_held(held);
		held->first = first;
		held->how = how;
	}
	held->end = first + folio_nr_pages(folio);
}

static ssize_t held_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct held held = { .buf = buf };
	int rc;

	cxlmem_drain_cpus();
	rc = walk(to_cxlmem_device(dev)->mem, find_held, &held);
	if (rc)
		return rc;
	print_held(&held);
	return held.n;
}
static DEVICE_ATTR_ADMIN_RO(held);

static struct attribute *contents_attrs[] = {
	&dev_attr_files.attr,
	&dev_attr_held.attr,
	NULL
};

const struct attribute_group cxlmem_contents_group = {
	.name = "contents",
	.attrs = contents_attrs,
};
