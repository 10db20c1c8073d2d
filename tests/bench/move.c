// SPDX-License-Identifier: GPL-2.0
/*
 * Moves memory of its own between the host and a device, there and back, and
 * prints how many milliseconds each way has taken. One measurement in one process,
 * so that each begins with the same: memory that has just been written.
 *
 *	move driver small|huge MIB		/dev/cxlmem0, mode "driver"
 *	move pages[2] small|huge MIB NODE	move_pages(2), all of it in one call;
 *						or halves, in two threads
 *	move copy small|huge MIB NODE		memcpy() from memory on node 0 to memory on
 *						NODE, both of which are there before
 *	move touch MIB				only writes that much memory
 *
 * What is where is checked, and so is every byte, outside of the time taken.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../../driver/include/uapi/linux/cxlmem.h"

#define PAGE 4096ul
#define HUGE (2ul << 20)

static size_t size;
static bool huge;
static int node;

static double milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static void fill(uint64_t *memory)
{
	for (size_t i = 0; i < size / sizeof(*memory); i++)
		memory[i] = i * 0x9e3779b97f4a7c15ull;
}

static void check(const uint64_t *memory)
{
	for (size_t i = 0; i < size / sizeof(*memory); i++)
		if (memory[i] != i * 0x9e3779b97f4a7c15ull)
			errx(1, "wrong contents at %zu", i * sizeof(*memory));
}

/* Nothing else can be part of its mapping, since what is around it cannot be accessed. */
static size_t huge_bytes(const void *memory)
{
	FILE *in = fopen("/proc/self/smaps", "re");
	size_t kb = 0, n = 0;
	unsigned long start, end;
	bool ours = false;
	char line[256];

	while (in && fgets(line, sizeof(line), in)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			ours = start == (uintptr_t)memory;
		if (ours && sscanf(line, "AnonHugePages: %zu kB", &n) == 1)
			kb += n;
	}
	if (in)
		fclose(in);
	return kb << 10;
}

/* Memory with contents, on one node, in pages of the size that was asked for. */
static void *memory_on(int on)
{
	unsigned long mask = 1ul << on;
	char *memory = mmap(NULL, size + 2 * HUGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		err(1, "mmap");
	memory += HUGE - ((uintptr_t)memory & (HUGE - 1));
	if (mprotect(memory, size, PROT_READ | PROT_WRITE) ||
	    madvise(memory, size, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE) ||
	    syscall(SYS_mbind, memory, size, MPOL_BIND, &mask, 64, 0))
		err(1, "memory on node %d", on);
	fill((uint64_t *)memory);
	/* What was bound to one node could not be moved to another. */
	if (syscall(SYS_mbind, memory, size, MPOL_DEFAULT, NULL, 0, 0))
		err(1, "mbind");
	if (huge_bytes(memory) != (huge ? size : 0))
		errx(1, "%zu MiB of %zu are huge pages", huge_bytes(memory) >> 20, size >> 20);
	return memory;
}

static double move_by_driver(void *memory, unsigned long what)
{
	static int device = -1;
	struct cxlmem_move move = {
		.size = sizeof(move),
		.start = (uintptr_t)memory,
		.length = size,
	};
	double start;

	if (device < 0)
		device = open("/dev/cxlmem0", O_RDWR | O_CLOEXEC);
	start = milliseconds();
	if (ioctl(device, what, &move))
		err(1, "/dev/cxlmem0");
	start = milliseconds() - start;
	if (move.counts.moved != size / PAGE)
		errx(1, "%llu pages of %zu were moved", move.counts.moved, size / PAGE);
	return start;
}

struct part {
	void **pages;
	int *nodes, *status;
	size_t n;
};

static void *move_part(void *arg)
{
	struct part *part = arg;
	long rc = syscall(SYS_move_pages, 0, part->n, part->pages, part->nodes, part->status,
			  MPOL_MF_MOVE);

	if (rc)
		errx(1, "move_pages: %ld: %s", rc, rc < 0 ? strerror(errno) : "pages were not moved");
	return NULL;
}

/* A huge page is moved whole if its first address is asked for. */
static double move_by_pages(char *memory, int to, bool two_threads)
{
	size_t step = huge ? HUGE : PAGE, n = size / step, half = two_threads ? n / 2 : n, i;
	void **pages = calloc(n, sizeof(*pages));
	int *nodes = calloc(n, sizeof(*nodes)), *status = calloc(n, sizeof(*status));
	struct part first, second;
	pthread_t thread;
	double start;

	if (!pages || !nodes || !status)
		err(1, "calloc");
	for (i = 0; i < n; i++) {
		pages[i] = memory + i * step;
		nodes[i] = to;
		status[i] = -1;
	}
	first = (struct part) { pages, nodes, status, half };
	second = (struct part) { pages + half, nodes + half, status + half, n - half };
	start = milliseconds();
	if (two_threads && pthread_create(&thread, NULL, move_part, &second))
		errx(1, "pthread_create");
	move_part(&first);
	if (two_threads)
		pthread_join(thread, NULL);
	start = milliseconds() - start;
	for (i = 0; i < n; i++)
		if (status[i] != to)
			errx(1, "a page is on node %d, not %d", status[i], to);
	if (huge_bytes(memory) != (huge ? size : 0))
		errx(1, "huge pages were split");
	free(pages);
	free(nodes);
	free(status);
	return start;
}

static double copy(void *to, const void *from)
{
	double start = milliseconds();

	memcpy(to, from, size);
	return milliseconds() - start;
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	double in, out;
	void *memory, *far;

	if (!strcmp(how, "touch") && argc == 3) {
		size = strtoul(argv[2], NULL, 10) << 20;
		memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (memory == MAP_FAILED)
			err(1, "mmap");
		memset(memory, 1, size);
		return 0;
	}
	if (argc < 4)
		errx(2, "usage: move driver|pages|pages2|copy small|huge MIB [NODE], or move touch MIB");
	huge = !strcmp(argv[2], "huge");
	size = strtoul(argv[3], NULL, 10) << 20;
	node = argc > 4 ? atoi(argv[4]) : 0;
	memory = memory_on(0);

	if (!strcmp(how, "driver")) {
		in = move_by_driver(memory, CXLMEM_IOC_MOVE_IN);
		out = move_by_driver(memory, CXLMEM_IOC_MOVE_OUT);
	} else if (!strcmp(how, "pages") || !strcmp(how, "pages2")) {
		in = move_by_pages(memory, node, how[5]);
		out = move_by_pages(memory, 0, how[5]);
	} else if (!strcmp(how, "copy")) {
		far = memory_on(node);
		memset(far, 0, size);
		in = copy(far, memory);
		memset(memory, 0, size);
		out = copy(memory, far);
	} else {
		errx(2, "move: not %s", how);
	}
	check(memory);
	printf("%.3f %.3f\n", in, out);
	return 0;
}
