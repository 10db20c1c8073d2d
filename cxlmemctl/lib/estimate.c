// SPDX-License-Identifier: LGPL-2.1
/*
 * About how long it takes to move what is on a device. That differs too much from one
 * machine to the next for a table, so a little memory is moved to see how fast it is here.
 */
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/mempolicy.h>

#include "private.h"

#define HUGE	(2ul << 20)
#define SAMPLE	(8 * HUGE)

/* How much faster two threads are, in tenths, by tests/bench/move.sh. More were not measured. */
#define TWO_THREADS	17

/* Moves one page in so many bytes of @memory to a node, or with -1 finds where it is. */
static bool move(char *memory, size_t step, int to, int *status)
{
	void *addresses[SAMPLE / 4096];
	int nodes[SAMPLE / 4096];
	size_t nr = SAMPLE / step, i;

	for (i = 0; i < nr; i++) {
		addresses[i] = memory + i * step;
		nodes[i] = to;
		status[i] = -1;
	}
	return !syscall(SYS_move_pages, 0, nr, addresses, to < 0 ? NULL : nodes, status, MPOL_MF_MOVE);
}

static bool all_on(const int *status, size_t nr, int node)
{
	while (nr && status[nr - 1] == node)
		nr--;
	return !nr;
}

/* Seconds for each byte to get from one node to another; 0 if that cannot be told. */
static double time_of(char *memory, int from, int to, bool huge)
{
	const size_t page = sysconf(_SC_PAGESIZE), step = huge ? HUGE : page;
	unsigned long nodes[MAX_NODES / (8 * sizeof(long))] = { 0 };
	const size_t bits = 8 * sizeof(*nodes);
	int status[SAMPLE / 4096];
	uint64_t began, took;

	nodes[from / bits] |= 1ul << from % bits;
	/* Not bound: if the node is full, nobody is to be killed for this. */
	if (page < 4096 || madvise(memory, SAMPLE, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE) ||
	    syscall(SYS_mbind, memory, SAMPLE, MPOL_PREFERRED, nodes, MAX_NODES + 1, 0))
		return 0;
	memset(memory, 1, SAMPLE);
	if (!move(memory, page, -1, status) || !all_on(status, SAMPLE / page, from))
		return 0;
	began = now_ns();
	if (!move(memory, step, to, status) || !all_on(status, SAMPLE / step, to))
		return 0;
	took = now_ns() - began;
	/* A huge page has moved as a whole, or else it was none. */
	if (huge && (!move(memory, page, -1, status) || !all_on(status, SAMPLE / page, to)))
		return 0;
	return (double)took / SAMPLE / 1e9;
}

static double sample(int from, int to, bool huge)
{
	char *memory = mmap(NULL, SAMPLE + HUGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	double result;

	if (memory == MAP_FAILED)
		return 0;
	result = time_of(memory + (-(uintptr_t)memory & (HUGE - 1)), from, to, huge);
	munmap(memory, SAMPLE + HUGE);
	return result;
}

static int target(const struct transition *t)
{
	struct nodes hosts;
	int node;

	if (t->opt.to != CXLMEM_KEEP)
		return t->opt.to;
	if (node_hosts(t->ctx, &hosts))
		return -1;
	for (node = 0; node < MAX_NODES; node++)
		if (nodes_has(&hosts, node))
			return node;
	return -1;
}

/* As fast as the memory goes; -1 if that cannot be told. */
static double unhurried(const struct transition *t, const struct pages *pages)
{
	int from = t->dev->node, to = target(t);
	double small, huge, seconds;

	if (from < 0 || to < 0 || t->ctx->fake)
		return -1;
	/* The first is for what is slow the first time only. */
	sample(from, to, false);
	small = sample(from, to, false);
	if (small <= 0)
		return -1;
	huge = pages->huge ? sample(from, to, true) : 0;
	/* Without a huge page for a sample: it takes no longer than as many small ones. */
	if (huge <= 0)
		huge = small;
	seconds = (pages->in_use - pages->huge) * small + pages->huge * huge;
	return clear_jobs(t) > 1 ? seconds * 10 / TWO_THREADS : seconds;
}

double estimate_seconds(const struct transition *t, const struct pages *pages)
{
	double seconds = unhurried(t, pages);
	double at_rate = t->opt.rate ? (double)pages->in_use / t->opt.rate : 0;

	return t->opt.rate && seconds < at_rate ? at_rate : seconds;
}
