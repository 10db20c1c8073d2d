// SPDX-License-Identifier: LGPL-2.1
/* What kinds of pages a range of memory holds, from /proc/kpageflags (root only). */
#include <fcntl.h>
#include <unistd.h>

#include <linux/kernel-page-flags.h>

#include "private.h"

#define BIT(n) (1ull << (n))

/* First match wins, so the special kinds come before the general ones. */
static const struct kind {
	const char *name;
	uint64_t flags;			/* any of these */
	bool movable;			/* or free, or not memory */
} kinds[] = {
	{ "nothing",		BIT(KPF_NOPAGE),		true },
	{ "poisoned",		BIT(KPF_HWPOISON),		true },
	{ "taken offline",	BIT(KPF_OFFLINE),		true },
	{ "free",		BIT(KPF_BUDDY),			true },
	{ "slab",		BIT(KPF_SLAB),			false },
	{ "page tables",	BIT(KPF_PGTABLE),		false },
	{ "hugetlb",		BIT(KPF_HUGE),			true },
	{ "huge anonymous",	BIT(KPF_THP),			true },
	{ "anonymous",		BIT(KPF_ANON) | BIT(KPF_KSM),	true },
	{ "file",		BIT(KPF_LRU) | BIT(KPF_MMAP),	true },
};

/*
 * Pages without any flag are free ones in a CPU's private list, or memory
 * that the kernel or a driver has taken; they cannot be told apart.
 */
#define OTHER ARRAY_SIZE(kinds)

static size_t classify(uint64_t flags)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (flags & kinds[i].flags)
			break;
	return i;
}

static bool count(struct cxlmem_ctx *ctx, uint64_t start, uint64_t size, uint64_t *amounts)
{
	uint64_t page = sysconf(_SC_PAGESIZE), flags[4096];
	uint64_t offset = start / page * sizeof(*flags);
	uint64_t end = (start + size) / page * sizeof(*flags);
	int fd = openat(ctx->root, "proc/kpageflags", O_RDONLY | O_CLOEXEC);
	bool any = false;
	ssize_t len, i;

	memset(amounts, 0, (OTHER + 1) * sizeof(*amounts));
	if (fd < 0)
		return false;
	while (offset < end) {
		size_t want = end - offset < sizeof(flags) ? end - offset : sizeof(flags);

		len = pread(fd, flags, want, offset);
		if (len < (ssize_t)sizeof(*flags))
			break;
		any = true;
		len -= len % sizeof(*flags);
		for (i = 0; i < len / (ssize_t)sizeof(*flags); i++)
			amounts[classify(flags[i])] += page;
		offset += len;
	}
	close(fd);
	return any;
}

void pages_describe(struct cxlmem_ctx *ctx, uint64_t start, uint64_t size, char *text,
		    size_t text_size)
{
	uint64_t amounts[OTHER + 1];
	size_t i, len = 0;
	char amount[16];

	text[0] = '\0';
	if (!count(ctx, start, size, amounts))
		return;
	for (i = 0; i <= OTHER && len < text_size; i++)
		if (amounts[i])
			len += snprintf(text + len, text_size - len, "%s%s %s", len ? ", " : "",
					i < OTHER ? kinds[i].name : "other",
					cxlmem_format_size(amounts[i], amount, sizeof(amount)));
}

uint64_t pages_unmovable(struct cxlmem_ctx *ctx, uint64_t start, uint64_t size)
{
	uint64_t amounts[OTHER + 1], sum = 0;
	size_t i;

	if (!count(ctx, start, size, amounts))
		return 0;
	for (i = 0; i < OTHER; i++)
		if (!kinds[i].movable)
			sum += amounts[i];
	return sum;
}
