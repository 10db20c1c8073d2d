// SPDX-License-Identifier: GPL-2.0
/*
 * hugepages NODE KIB MIB: how long it takes to have hugetlb allocate so much on a node
 * in pages of this size, and to map it, which zeroes it; as claims are. Prints
 * milliseconds for the two, and how many MiB there were. All is given back.
 */
#define _GNU_SOURCE
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#ifndef MAP_HUGE_SHIFT
#define MAP_HUGE_SHIFT 26
#endif

static double milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

/* Sets the number of pages there are to be, if it is not negative; returns what there are. */
static long pages(const char *path, long wanted)
{
	long there = -1;
	FILE *file;

	if (wanted >= 0) {
		file = fopen(path, "we");
		if (!file)
			err(1, "%s", path);
		fprintf(file, "%ld", wanted);
		/* That there is not room for all is seen below. */
		fclose(file);
	}
	file = fopen(path, "re");
	if (!file || fscanf(file, "%ld", &there) != 1)
		err(1, "%s", path);
	fclose(file);
	return there;
}

int main(int argc, char **argv)
{
	unsigned long kib, mib, log2;
	double began, allocated, mapped;
	char path[128];
	void *memory;
	long got;

	if (argc != 4)
		errx(2, "usage: hugepages NODE KIB MIB");
	kib = strtoul(argv[2], NULL, 10);
	mib = strtoul(argv[3], NULL, 10);
	log2 = 10 + __builtin_ctzl(kib);
	snprintf(path, sizeof(path),
		 "/sys/devices/system/node/node%s/hugepages/hugepages-%lukB/nr_hugepages",
		 argv[1], kib);
	began = milliseconds();
	got = pages(path, mib * 1024 / kib);
	allocated = mapped = milliseconds();
	if (got > 0) {
		memory = mmap(NULL, got * kib << 10, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_POPULATE |
			      log2 << MAP_HUGE_SHIFT, -1, 0);
		if (memory == MAP_FAILED)
			err(1, "mmap");
		mapped = milliseconds();
		munmap(memory, got * kib << 10);
	}
	pages(path, 0);
	printf("%.1f %.1f %lu\n", allocated - began, mapped - allocated, got * kib >> 10);
	return 0;
}
