// SPDX-License-Identifier: LGPL-2.1
/*
 * Why a memory block does not come free, in words, with the evidence and what to do
 * about it. What is certain comes first: pages that somebody holds or that their file
 * system cannot move, then memory of the kernel; then what is likely, and in the end
 * the kernel's own words.
 */
#include <unistd.h>

#include "private.h"

/* More processes than these are counted and not named. */
#define MAX_NAMED 3

/* Those that have mapped certain pages. */
struct holders {
	struct cxlmem_ctx *ctx;
	bool means;			/* by which they may hold them is told, too */
	char text[512];			/* "64K of redis (pid 812, which has io_uring), ..." */
	size_t nr;
	pid_t first;
};

static int name_holder(const struct mapper *mapper, void *data)
{
	char command[ATTR_LEN] = "?", means[ATTR_LEN] = "", amount[16];
	struct holders *holders = data;
	size_t len = strlen(holders->text);

	if (!mapper->held)
		return 0;
	if (!holders->nr++)
		holders->first = mapper->pid;
	if (holders->nr > MAX_NAMED)
		return 0;
	sysfs_read(holders->ctx, command, sizeof(command), "proc/%d/comm", (int)mapper->pid);
	if (holders->means)
		process_means(holders->ctx, mapper->pid, means, sizeof(means));
	snprintf(holders->text + len, sizeof(holders->text) - len, "%s%s of %s (pid %d%s%s)",
		 len ? ", " : "", cxlmem_format_size(mapper->held, amount, sizeof(amount)),
		 command, (int)mapper->pid, means[0] ? ", which has " : "", means);
	return 0;
}

/* Of the pages that are kept in one way. */
static void describe_held(struct transition *t, const struct range *range,
			  const struct held *held, uint64_t bytes, struct obstacle *obstacle)
{
	const struct held_pages *first = &held->v[0];
	struct holders holders = { .ctx = t->ctx, .means = first->how != FIXED };
	char way[160] = "are held by I/O that is not finished, or by the kernel";
	char amount[16], more[64] = "";

	if (first->how == PINNED)
		strcpy(way, "are pinned, as for a device's DMA");
	if (first->how == FIXED)
		snprintf(way, sizeof(way),
			 "belong to files of %s, which has no way to move what is not written back",
			 first->file_system);

	who_maps(t->ctx, range, held, name_holder, &holders);
	if (holders.nr > MAX_NAMED)
		snprintf(more, sizeof(more), " and of %zu more processes", holders.nr - MAX_NAMED);
	snprintf(obstacle->reason, sizeof(obstacle->reason), "%s of it, first at %#jx, %s: %s%s",
		 cxlmem_format_size(bytes, amount, sizeof(amount)),
		 (uintmax_t)first->range.start, way,
		 holders.nr ? holders.text : "no process has them mapped", more);
	if (first->how == FIXED)
		strcpy(obstacle->remedy,
		       "run \"sync\", and if that does not help remove the files or unmount their file system");
	else if (holders.nr)
		snprintf(obstacle->remedy, sizeof(obstacle->remedy),
			 "have process %d let go of them, or end it: kill %d",
			 (int)holders.first, (int)holders.first);
	else
		strcpy(obstacle->remedy, "wait until the I/O is done, and try again");
}

static bool find_held(struct transition *t, const struct range *range, struct obstacle *obstacle)
{
	enum hold worst = HELD;
	struct held held;
	uint64_t bytes;
	size_t i;

	held_read(t->dev, &held);
	for (i = 0; i < held.nr; i++)
		if (in_range(range, held.v[i].range.start) && held.v[i].how > worst)
			worst = held.v[i].how;
	bytes = held_keep(&held, range, 1u << worst);
	if (held.nr)
		describe_held(t, range, &held, bytes, obstacle);
	free(held.v);
	return held.nr;
}

static bool find_kernel_memory(struct transition *t, const struct range *range,
			       const struct pages *pages, struct obstacle *obstacle)
{
	char amount[16], all[512];

	if (!pages->unmovable)
		return false;
	pages_describe(t->ctx, range->start, range->size, all, sizeof(all));
	snprintf(obstacle->reason, sizeof(obstacle->reason),
		 "%s of it are memory of the kernel itself, which cannot be moved, first at %#jx",
		 cxlmem_format_size(pages->unmovable, amount, sizeof(amount)),
		 (uintmax_t)pages->kernel);
	snprintf(obstacle->remedy, sizeof(obstacle->remedy),
		 "the kernel keeps it until the next boot; from then on put %s on line in zone movable, where there is none: cxlmemctl mode %s system --zone movable",
		 t->dev->name, t->dev->name);
	return true;
}

/* Huge pages on the other nodes that are free and not promised to anybody, of all sizes. */
struct huge_room {
	struct cxlmem_ctx *ctx;
	int except;
	const char *pool;		/* that is looked at, such as hugepages-2048kB */
	uint64_t pages;			/* of it */
	uint64_t bytes;			/* of all pools */
};

static int add_node(const char *name, void *data)
{
	struct huge_room *room = data;
	uint64_t pages, node;

	if (!parse_suffix(name, "node", &node) && (int)node != room->except &&
	    !sysfs_read_number(room->ctx, &pages,
			       "sys/devices/system/node/%s/hugepages/%s/free_hugepages", name,
			       room->pool))
		room->pages += pages;
	return 0;
}

static int add_pool(const char *name, void *data)
{
	struct huge_room *room = data;
	uint64_t kib, reserved = 0;
	char size[NAME_LEN];

	if (strncmp(name, "hugepages-", strlen("hugepages-")) || strlen(name) >= NAME_LEN)
		return 0;
	strcpy(size, name + strlen("hugepages-"));
	size[strcspn(size, "k")] = '\0';
	if (parse_u64(size, 10, &kib))
		return 0;
	room->pool = name;
	room->pages = 0;
	sysfs_each(room->ctx, "sys/devices/system/node", add_node, room);
	sysfs_read_number(room->ctx, &reserved, "sys/kernel/mm/hugepages/%s/resv_hugepages", name);
	if (room->pages > reserved)
		room->bytes += (room->pages - reserved) * kib * 1024;
	return 0;
}

static bool find_huge_pages(struct transition *t, const struct pages *pages,
			    struct obstacle *obstacle)
{
	struct huge_room room = { .ctx = t->ctx, .except = t->dev->node };
	char need[16], have[16];

	if (!pages->hugetlb)
		return false;
	sysfs_each(t->ctx, "sys/kernel/mm/hugepages", add_pool, &room);
	if (room.bytes >= pages->hugetlb)
		return false;
	snprintf(obstacle->reason, sizeof(obstacle->reason),
		 "%s of it are huge pages of hugetlbfs, and the other nodes have %s of such pages free, nor did the kernel find room there for new ones",
		 cxlmem_format_size(pages->hugetlb, need, sizeof(need)),
		 cxlmem_format_size(room.bytes, have, sizeof(have)));
	snprintf(obstacle->remedy, sizeof(obstacle->remedy),
		 "add some to nr_hugepages of another node, or take the unused ones away here, both in /sys/devices/system/node/nodeN/hugepages; node %d is this one",
		 t->dev->node);
	return true;
}

static bool find_no_room(struct transition *t, const struct pages *pages,
			 struct obstacle *obstacle)
{
	char need[16], have[16];
	uint64_t available;

	if (node_host_available(t->ctx, &available) || available >= pages->in_use)
		return false;
	snprintf(obstacle->reason, sizeof(obstacle->reason),
		 "%s of it are in use, and the host's own nodes have room for %s",
		 cxlmem_format_size(pages->in_use, need, sizeof(need)),
		 cxlmem_format_size(available, have, sizeof(have)));
	strcpy(obstacle->remedy, "end programs there, or drop files, and try again");
	return true;
}

/* A page that the kernel has named. */
static bool find_in_log(struct transition *t, const struct range *range, struct obstacle *obstacle)
{
	struct offline_failure failure;
	char evidence[256] = "";
	const char *words;
	size_t len = 0;
	int fd;

	if (!kmsg_offline_failure(&t->kmsg, range->start, range->size, &failure))
		return false;
	if (failure.references)
		len = snprintf(evidence, sizeof(evidence), ", page %#jx, %ju references",
			       (uintmax_t)failure.address, (uintmax_t)failure.references);
	if (failure.file[0])
		snprintf(evidence + len, sizeof(evidence) - len, ", of the file \"%s\"",
			 failure.file);
	words = kmsg_explain(failure.reason);
	/*
	 * While memory goes off line KSM stands still. Processes that it has just lost sight
	 * of, since somebody else had the page, it finds on its next round only.
	 */
	fd = pages_open(t->ctx);
	if (page_is_merged(fd, failure.address)) {
		words = "pages of it are merged by KSM, and the kernel does not find all who share them";
		strcpy(obstacle->remedy,
		       "try again in a while, or have KSM take its pages apart first: echo 2 >/sys/kernel/mm/ksm/run");
	}
	if (fd >= 0)
		close(fd);
	snprintf(obstacle->reason, sizeof(obstacle->reason), "%s (the kernel says \"%s\"%s%s%s)",
		 words, failure.reason,
		 failure.type[0] ? " of type " : "", failure.type, evidence);
	if (failure.file[0])
		snprintf(obstacle->remedy, sizeof(obstacle->remedy),
			 "close the programs that use \"%s\", run \"sync\", or unmount its file system",
			 failure.file);
	return true;
}

/* A bad page is in nobody's way, but in a huge page the kernel does not get at it. */
static bool find_poison(struct transition *t, const struct range *range,
			const struct pages *pages, struct obstacle *obstacle)
{
	struct held_pages bad = { .range = { pages->poison, sysconf(_SC_PAGESIZE) } };
	const struct held page = { .nr = 1, .v = &bad };
	struct holders holders = { .ctx = t->ctx };
	char amount[16];

	if (!pages->poisoned)
		return false;
	who_maps(t->ctx, range, &page, name_holder, &holders);
	snprintf(obstacle->reason, sizeof(obstacle->reason),
		 "%s of it are lost to a memory error (poisoned), first at %#jx, and the kernel does not get them out of a huge page: %s",
		 cxlmem_format_size(pages->poisoned, amount, sizeof(amount)),
		 (uintmax_t)pages->poison,
		 holders.nr ? holders.text : "no process has them mapped");
	if (holders.nr)
		snprintf(obstacle->remedy, sizeof(obstacle->remedy), "end process %d: kill %d",
			 (int)holders.first, (int)holders.first);
	return true;
}

/* What is certain to be in the way now, even if nothing has been tried yet. */
bool obstacle_foresee(struct transition *t, const struct range *range, struct obstacle *obstacle)
{
	struct pages pages;

	memset(obstacle, 0, sizeof(*obstacle));
	return find_held(t, range, obstacle) ||
	       (pages_count(t->ctx, range->start, range->size, &pages) &&
		find_kernel_memory(t, range, &pages, obstacle));
}

bool obstacle_find(struct transition *t, const struct range *range, struct obstacle *obstacle)
{
	struct pages pages;

	if (obstacle_foresee(t, range, obstacle))
		return true;
	kmsg_collect(&t->kmsg);
	pages_count(t->ctx, range->start, range->size, &pages);
	return find_huge_pages(t, &pages, obstacle) || find_no_room(t, &pages, obstacle) ||
	       find_in_log(t, range, obstacle) || find_poison(t, range, &pages, obstacle);
}
