// SPDX-License-Identifier: LGPL-2.1
/* Reading about other processes in /proc, all of which may be gone the next moment. */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/fs.h>

#include "private.h"

#define MAX_STATUS	(1 << 16)
#define MAX_MAPS	(64 << 20)

int process_number(struct cxlmem_ctx *ctx, pid_t pid, const char *name, uint64_t *value)
{
	char path[64], key[NAME_LEN], *text, *at;
	int rc = -ENOENT;

	snprintf(path, sizeof(path), "proc/%d/status", (int)pid);
	snprintf(key, sizeof(key), "\n%s:\t", name);
	text = sysfs_read_all(ctx, path, MAX_STATUS);
	if (!text)
		return -ESRCH;
	at = strstr(text, key);
	if (at) {
		at += strlen(key);
		at += strspn(at, " ");
		at[strcspn(at, " \t\n")] = '\0';
		rc = parse_u64(at, 10, value);
	}
	free(text);
	return rc;
}

int process_each_mapping(struct cxlmem_ctx *ctx, pid_t pid,
			 int (*fn)(uint64_t start, uint64_t end, void *data), void *data)
{
	char path[64], *text, *line, *save = NULL;
	int rc = 0;

	snprintf(path, sizeof(path), "proc/%d/maps", (int)pid);
	text = sysfs_read_all(ctx, path, MAX_MAPS);
	if (!text)
		return -errno;
	for (line = strtok_r(text, "\n", &save); line && !rc; line = strtok_r(NULL, "\n", &save)) {
		unsigned long long start, end;

		/* The last is the kernel's own page that x86 lets all programs see. */
		if (sscanf(line, "%llx-%llx", &start, &end) == 2 && start < end &&
		    start <= INT64_MAX)
			rc = fn(start, end, data);
	}
	free(text);
	return rc;
}

int process_cpu(struct cxlmem_ctx *ctx, pid_t pid, uint64_t *cpu)
{
	char path[64], *text, *word, *save;
	int i, rc = -ENOENT;

	snprintf(path, sizeof(path), "proc/%d/stat", (int)pid);
	text = sysfs_read_all(ctx, path, MAX_STATUS);
	if (!text)
		return -ESRCH;
	/* The name, in brackets, may have blanks and brackets in it. It is the 2nd, the CPU the 39th. */
	word = strrchr(text, ')');
	word = word ? strtok_r(word, " ", &save) : NULL;
	for (i = 2; word && i < 39; i++)
		word = strtok_r(NULL, " ", &save);
	if (word)
		rc = parse_u64(word, 10, cpu);
	free(text);
	return rc;
}

int process_cgroup(struct cxlmem_ctx *ctx, pid_t pid, char *path, size_t size)
{
	char name[64], *text, *line, *save = NULL;
	int rc = -ENOENT;

	snprintf(name, sizeof(name), "proc/%d/cgroup", (int)pid);
	text = sysfs_read_all(ctx, name, MAX_STATUS);
	if (!text)
		return -ESRCH;
	/* Lines of version 1 have controllers between the colons. */
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (strncmp(line, "0::", 3))
			continue;
		snprintf(path, size, "%s", line + 3);
		rc = 0;
	}
	free(text);
	return rc;
}

/* A cpuset's nodes are in "status". */
static bool is_in_cpuset_of(struct cxlmem_ctx *ctx, pid_t pid, int node)
{
	char path[64], *text, *at;
	struct nodes nodes = { 0 };
	bool only = false;
	int i;

	snprintf(path, sizeof(path), "proc/%d/status", (int)pid);
	text = sysfs_read_all(ctx, path, MAX_STATUS);
	if (!text)
		return false;
	at = strstr(text, "\nMems_allowed_list:\t");
	if (at) {
		at += strlen("\nMems_allowed_list:\t");
		at[strcspn(at, "\n")] = '\0';
		only = !parse_nodes(at, &nodes) && nodes_has(&nodes, node);
	}
	for (i = 0; only && i < MAX_NODES; i++)
		if (i != node && nodes_has(&nodes, i))
			only = false;
	free(text);
	return only;
}

/*
 * A policy of its own is in the line of each mapping in "numa_maps". The first is
 * enough, and cheap: the kernel counts the pages of those that are read.
 */
static bool has_policy_for(struct cxlmem_ctx *ctx, pid_t pid, int node)
{
	char path[64], line[4096], policy[32];
	int fd;
	ssize_t len;

	snprintf(path, sizeof(path), "proc/%d/numa_maps", (int)pid);
	fd = openat(ctx->root, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return false;
	len = read(fd, line, sizeof(line) - 1);
	close(fd);
	if (len <= 0)
		return false;
	line[len] = '\0';
	line[strcspn(line, "\n")] = '\0';
	snprintf(policy, sizeof(policy), " bind:%d ", node);
	return strstr(line, policy);
}

bool process_is_bound(struct cxlmem_ctx *ctx, pid_t pid, int node)
{
	return node >= 0 &&
	       (is_in_cpuset_of(ctx, pid, node) || has_policy_for(ctx, pid, node));
}

/* What a process can hold pages by, and how that looks in /proc/PID/fd. */
static const struct means {
	const char *file;		/* beginning of what a descriptor points to */
	const char *name;
} means[] = {
	{ "anon_inode:[io_uring]",	"io_uring" },
	{ "/dev/infiniband/",		"RDMA" },
	{ "/dev/vfio/",			"vfio" },
	{ "anon_inode:kvm-vm",		"a virtual machine" },
	{ "anon_inode:[iommufd]",	"iommufd" },
	{ "/dev/iommu",			"iommufd" },
	{ "socket:",			"sockets" },
	{ "pipe:",			"pipes" },
};

struct found_means {
	struct cxlmem_ctx *ctx;
	pid_t pid;
	bool found[ARRAY_SIZE(means)];
};

static int look_at_file(const char *name, void *data)
{
	struct found_means *found = data;
	char path[64 + NAME_LEN], target[PATH_MAX];
	ssize_t len;
	size_t i;

	if (snprintf(path, sizeof(path), "proc/%d/fd/%s", (int)found->pid, name) >=
	    (int)sizeof(path))
		return 0;
	len = readlinkat(found->ctx->root, path, target, sizeof(target) - 1);
	if (len <= 0)
		return 0;
	target[len] = '\0';
	for (i = 0; i < ARRAY_SIZE(means); i++)
		if (!strncmp(target, means[i].file, strlen(means[i].file)))
			found->found[i] = true;
	return 0;
}

/* Names those that were found, from a row of the table up to another, each once. */
static void list_means(const struct found_means *found, size_t from, size_t to, char *text,
		       size_t size)
{
	size_t i, len = 0;

	text[0] = '\0';
	for (i = from; i < to && len < size; i++)
		if (found->found[i] && !strstr(text, means[i].name))
			len += snprintf(text + len, size - len, "%s%s", len ? ", " : "",
					means[i].name);
}

/* Sockets and pipes, which come last, are everywhere: no evidence beside something else. */
#define FIRST_COMMON (ARRAY_SIZE(means) - 2)

void process_means(struct cxlmem_ctx *ctx, pid_t pid, char *text, size_t size)
{
	struct found_means found = { .ctx = ctx, .pid = pid };
	char dir[64];

	snprintf(dir, sizeof(dir), "proc/%d/fd", (int)pid);
	sysfs_each(ctx, dir, look_at_file, &found);
	list_means(&found, 0, FIRST_COMMON, text, size);
	if (!text[0])
		list_means(&found, FIRST_COMMON, ARRAY_SIZE(means), text, size);
}

int process_open_pagemap(struct cxlmem_ctx *ctx, pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "proc/%d/pagemap", (int)pid);
	return openat(ctx->root, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
}

struct page_walk {
	int pagemap;
	uint64_t page;
	int (*fn)(const struct mapped_page *page, void *data);
	void *data;
};

static int each_of_region(const struct page_walk *walk, uint64_t start, uint64_t end, bool huge)
{
	uint64_t entries[4096], at = start / walk->page, last = end / walk->page;
	int rc = 0;

	while (at < last && !rc) {
		size_t want = last - at < ARRAY_SIZE(entries) ? last - at : ARRAY_SIZE(entries);
		ssize_t len = pread(walk->pagemap, entries, want * sizeof(*entries),
				    at * sizeof(*entries));
		size_t i, nr = len > 0 ? len / sizeof(*entries) : 0;

		/* The process has gone. */
		if (!nr)
			return 0;
		for (i = 0; i < nr && !rc; i++) {
			struct mapped_page page = {
				.at = (at + i) * walk->page,
				.address = (entries[i] & PAGE_PFN) * walk->page,
				.huge = huge,
			};

			if (entries[i] & PAGE_PRESENT)
				rc = walk->fn(&page, walk->data);
		}
		at += nr;
	}
	return rc;
}

/*
 * Programs reserve far more than they use, some of them terabytes; the kernel
 * knows what is there. Where it cannot be asked, all is looked at.
 */
int process_each_page(int pagemap, uint64_t start, uint64_t end,
		      int (*fn)(const struct mapped_page *page, void *data), void *data)
{
	struct page_walk walk = { pagemap, sysconf(_SC_PAGESIZE), fn, data };
	int rc = 0;
#ifdef PAGEMAP_SCAN
	struct page_region regions[64];
	struct pm_scan_arg arg = {
		.size = sizeof(arg),
		.start = start,
		.end = end,
		.vec = (uintptr_t)regions,
		.vec_len = ARRAY_SIZE(regions),
		.category_mask = PAGE_IS_PRESENT,
		.return_mask = PAGE_IS_PRESENT | PAGE_IS_HUGE,
	};
	int i, nr;

	while (arg.start < end) {
		nr = ioctl(pagemap, PAGEMAP_SCAN, &arg);
		if (nr < 0 || nr > (int)ARRAY_SIZE(regions) || arg.walk_end <= arg.start)
			break;
		for (i = 0; i < nr && !rc; i++)
			rc = each_of_region(&walk, regions[i].start, regions[i].end,
					    regions[i].categories & PAGE_IS_HUGE);
		if (rc)
			return rc;
		arg.start = arg.walk_end;
	}
	start = arg.start;
#endif
	return each_of_region(&walk, start, end, false);
}
