// SPDX-License-Identifier: GPL-2.0
/*
 * A program that uses the library as it is installed, as one of somebody else's does:
 * allocates, moves and frees, and prints what it was told.
 */
#include <stdio.h>
#include <string.h>
#include <cxlmem/libcxlmem.h>

int main(void)
{
	struct cxlmem_residency r = { .size = sizeof(r) };
	struct cxlmem_move move = { .size = sizeof(move) };
	struct cxlmem_device *dev;
	size_t size = 16 << 20;
	struct cxlmem_ctx *ctx;
	char *memory;
	int fd, rc;

	if (cxlmem_new(&ctx) || cxlmem_device_find(ctx, "cxlmem0", &dev))
		return 1;
	fd = cxlmem_device_open(dev);
	rc = cxlmem_alloc(fd, size, 0, (void **)&memory);
	if (rc)
		return fprintf(stderr, "alloc: %s\n", strerror(-rc)), 1;
	memset(memory, 7, size);
	rc = cxlmem_get_residency(fd, memory, size, NULL, &r);
	printf("%d %llu", rc, r.device);
	rc = cxlmem_move_out(fd, memory, size, &move);
	printf(" %d %llu", rc, move.counts.moved);
	move.size = sizeof(move);
	rc = cxlmem_move_in(fd, memory, size, &move);
	printf(" %d %llu %d", rc, move.counts.moved, memory[size - 1]);
	printf(" %d", cxlmem_free(memory, size));
	printf(" %d\n", cxlmem_alloc(fd, 1ul << 40, 0, (void **)&memory));
	cxlmem_unref(ctx);
	return 0;
}
