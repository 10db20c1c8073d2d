// SPDX-License-Identifier: LGPL-2.1
/* What kinds of pages a range of memory holds, from /proc/kpageflags (root only). */
#include <fcntl.h>
#include <unistd.h>

#include <linux/kernel-page-flags.h>

#include "private.h"

#define BIT(n) (1ull << (n))

enum {
	NOTHING, POISONED, TAKEN_OFFLINE, FREE, SLAB, PAGE_TABLES, HUGETLB, HUGE_ANON, MERGED,
	ANON, IN_FILE,
	/*
	 * Pages without any flag are free ones in a CPU's private list, or memory
	 * that the kernel or a driver has taken; they cannot be told apart.
	 */
	OTHER,
	NR_KINDS
};

/* First match wins, so the special kinds come before the general ones. */
static const struct kind {
	const char *name;
	uint64_t flags;			/* any of these */
	uint64_t with;			/* and all of these */
	bool in_use;
	bool movable;			/* if it is in use */
} kinds[NR_KINDS] = {
	[NOTHING] =	  { "nothing",	      BIT(KPF_NOPAGE),		       0, false, true },
	[POISONED] =	  { "poisoned",	      BIT(KPF_HWPOISON),	       0, false, true },
	[TAKEN_OFFLINE] = { "taken offline",  BIT(KPF_OFFLINE),		       0, false, true },
	[FREE] =	  { "free",	      BIT(KPF_BUDDY),		       0, false, true },
	[SLAB] =	  { "slab",	      BIT(KPF_SLAB),		       0, true, false },
	[PAGE_TABLES] =	  { "page tables",    BIT(KPF_PGTABLE),		       0, true, false },
	[HUGETLB] =	  { "hugetlb",	      BIT(KPF_HUGE),		       0, true, true },
	[HUGE_ANON] =	  { "huge anonymous", BIT(KPF_THP),	   BIT(KPF_ANON), true, true },
	[MERGED] =	  { "merged by KSM",  BIT(KPF_KSM),		       0, true, true },
	[ANON] =	  { "anonymous",      BIT(KPF_ANON),		       0, true, true },
	[IN_FILE] =	  { "file",	      BIT(KPF_LRU) | BIT(KPF_MMAP),    0, true, true },
	[OTHER] =	  { "other",	      0,			       0, false, true },
};

static size_t classify(uint64_t flags)
{
	size_t i;

	for (i = 0; i < OTHER; i++)
		if (flags & kinds[i].flags && (flags & kinds[i].with) == kinds[i].with)
			break;
	return i;
}

struct counts {
	uint64_t amounts[NR_KINDS];	/* bytes */
	uint64_t kernel;		/* address of the first page that cannot be moved */
	uint64_t poison;		/* of the first that is poisoned */
};

static void count_pages(struct counts *counts, const uint64_t *flags, size_t nr, uint64_t address)
{
	uint64_t page = sysconf(_SC_PAGESIZE);
	size_t i, kind;

	for (i = 0; i < nr; i++, address += page) {
		kind = classify(flags[i]);
		counts->amounts[kind] += page;
		if (!kinds[kind].movable && !counts->kernel)
			counts->kernel = address;
		if (kind == POISONED && !counts->poison)
			counts->poison = address;
	}
}

int pages_open(struct cxlmem_ctx *ctx)
{
	return openat(ctx->root, "proc/kpageflags", O_RDONLY | O_CLOEXEC);
}

bool page_is_merged(int kpageflags, uint64_t address)
{
	uint64_t flags;

	return pread(kpageflags, &flags, sizeof(flags),
		     address / sysconf(_SC_PAGESIZE) * sizeof(flags)) == sizeof(flags) &&
	       classify(flags) == MERGED;
}

static bool count(struct cxlmem_ctx *ctx, uint64_t start, uint64_t size, struct counts *counts)
{
	uint64_t page = sysconf(_SC_PAGESIZE), flags[4096];
	uint64_t first = start / page, end = (start + size) / page;
	int fd = pages_open(ctx);
	bool any = false;

	memset(counts, 0, sizeof(*counts));
	if (fd < 0)
		return false;
	while (first < end) {
		size_t want = end - first < ARRAY_SIZE(flags) ? end - first : ARRAY_SIZE(flags);
		ssize_t len = pread(fd, flags, want * sizeof(*flags), first * sizeof(*flags));

		if (len < (ssize_t)sizeof(*flags))
			break;
		any = true;
		len /= sizeof(*flags);
		count_pages(counts, flags, len, first * page);
		first += len;
	}
	close(fd);
	return any;
}

void pages_describe(struct cxlmem_ctx *ctx, uint64_t start, uint64_t size, char *text,
		    size_t text_size)
{
	struct counts counts;
	size_t i, len = 0;
	char amount[16];

	text[0] = '\0';
	if (!count(ctx, start, size, &counts))
		return;
	for (i = 0; i < NR_KINDS && len < text_size; i++)
		if (counts.amounts[i])
			len += snprintf(text + len, text_size - len, "%s%s %s", len ? ", " : "",
					kinds[i].name,
					cxlmem_format_size(counts.amounts[i], amount, sizeof(amount)));
}

bool pages_count(struct cxlmem_ctx *ctx, uint64_t start, uint64_t size, struct pages *pages)
{
	struct counts counts;
	size_t i;

	memset(pages, 0, sizeof(*pages));
	if (!count(ctx, start, size, &counts))
		return false;
	for (i = 0; i < NR_KINDS; i++) {
		if (kinds[i].in_use)
			pages->in_use += counts.amounts[i];
		if (!kinds[i].movable)
			pages->unmovable += counts.amounts[i];
	}
	pages->huge = counts.amounts[HUGETLB] + counts.amounts[HUGE_ANON];
	pages->hugetlb = counts.amounts[HUGETLB];
	pages->poisoned = counts.amounts[POISONED];
	pages->kernel = counts.kernel;
	pages->poison = counts.poison;
	return true;
}

struct listing {
	int (*content)(const struct cxlmem_content *content, void *data);
	void *data;
	int64_t sum;
};

static int tell(struct listing *listing, const char *kind, const char *name, uint64_t bytes,
		bool movable)
{
	const struct cxlmem_content content = {
		.kind = kind,
		.name = name,
		.bytes = bytes,
		.movable = movable,
	};

	if (!bytes)
		return 0;
	listing->sum += bytes;
	return listing->content(&content, listing->data);
}

/* Cuts the end off from "ramfs ramfs fixed". */
static bool cut_fixed(char *name)
{
	char *last = strrchr(name, ' ');

	if (!last || last == strchr(name, ' ') || strcmp(last, " fixed"))
		return false;
	*last = '\0';
	return true;
}

/*
 * A line of the driver's is "4096 ext4 vda1", or "4096 ramfs ramfs fixed" for what its
 * file system cannot move. What they do not explain has no name.
 */
static int tell_files(struct cxlmem_device *dev, struct listing *listing, uint64_t left)
{
	char path[PATH_MAX], *text, *line, *save = NULL;
	int rc = 0;

	snprintf(path, sizeof(path), "%s/contents/files", dev->dir);
	text = sysfs_read_all(dev->ctx, path, 1 << 16);
	for (line = text ? strtok_r(text, "\n", &save) : NULL; line && !rc;
	     line = strtok_r(NULL, "\n", &save)) {
		char *name = strchr(line, ' ');
		uint64_t bytes;
		bool fixed;

		if (!name)
			continue;
		*name++ = '\0';
		fixed = cut_fixed(name);
		/* Files come and go between their counting and ours. */
		if (parse_u64(line, 10, &bytes) || bytes > left)
			bytes = left;
		left -= bytes;
		rc = tell(listing, kinds[IN_FILE].name, name, bytes, !fixed);
	}
	free(text);
	return rc ? rc : tell(listing, kinds[IN_FILE].name, "", left, true);
}

EXPORT int64_t cxlmem_device_contents(struct cxlmem_device *dev,
				      int (*content)(const struct cxlmem_content *content,
						     void *data),
				      void *data)
{
	struct listing listing = { .content = content, .data = data };
	struct counts counts;
	size_t i;
	int rc = 0;

	if (geteuid() && !dev->ctx->fake)
		return fail(dev->ctx, EPERM, "only root may know what kinds of pages there are");
	rc = device_check(dev);
	if (rc)
		return rc;
	if (!dev->online)
		return 0;
	if (!count(dev->ctx, dev->usable.start, dev->usable.size, &counts))
		return fail(dev->ctx, ENOTSUP,
			    "this kernel does not tell what its pages are (no /proc/kpageflags)");
	for (i = 0; i < NR_KINDS && !rc; i++) {
		if (i == IN_FILE)
			rc = tell_files(dev, &listing, counts.amounts[i]);
		else if (kinds[i].in_use || i == POISONED)
			rc = tell(&listing, kinds[i].name, "", counts.amounts[i], kinds[i].movable);
	}
	return rc < 0 ? rc : listing.sum;
}

EXPORT int cxlmem_device_get_block(struct cxlmem_device *dev, size_t n, struct cxlmem_block *block)
{
	static const char *const states[] = {
		[BLOCK_ABSENT] = "absent",
		[BLOCK_OFFLINE] = "offline",
		[BLOCK_ONLINE] = "online",
	};
	uint64_t size = block_size(dev->ctx);
	enum block_state state;
	struct pages pages;

	if (!size || n >= dev->usable.size / size)
		return -ERANGE;
	*block = (struct cxlmem_block){
		.index = dev->usable.start / size + n,
		.start = dev->usable.start + n * size,
		.size = size,
	};
	state = block_read(dev->ctx, block->index);
	block->state = states[state];
	if (state == BLOCK_ONLINE && pages_count(dev->ctx, block->start, size, &pages))
		block->used = pages.in_use;
	return 0;
}
