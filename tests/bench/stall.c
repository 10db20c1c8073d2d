// SPDX-License-Identifier: GPL-2.0
/*
 * A victim of evacuations: writes to one page of its memory after the other, over
 * and over. On SIGUSR1 it prints the longest time between two writes since the last
 * one, in microseconds, and begins anew.
 *
 *	stall small|huge MIB
 */
#include <err.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t asked;

static void ask(int signal)
{
	(void)signal;
	asked = 1;
}

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000ull + now.tv_nsec / 1000;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = ask };
	uint64_t before, now, longest = 0;
	size_t size, at;
	char *memory;

	if (argc != 3)
		errx(2, "usage: stall small|huge MIB");
	size = strtoul(argv[2], NULL, 10) << 20;
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED ||
	    madvise(memory, size, strcmp(argv[1], "huge") ? MADV_NOHUGEPAGE : MADV_HUGEPAGE))
		err(1, "%s MiB", argv[2]);
	memset(memory, 1, size);
	sigaction(SIGUSR1, &action, NULL);
	printf("%d ready\n", getpid());
	fflush(stdout);
	for (at = 0, before = now_us();; at = (at + 4096) % size, before = now) {
		memory[at]++;
		now = now_us();
		if (now - before > longest)
			longest = now - before;
		if (!asked)
			continue;
		printf("%llu\n", (unsigned long long)longest);
		fflush(stdout);
		asked = 0;
		longest = 0;
		now = now_us();
	}
}
