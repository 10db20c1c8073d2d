// SPDX-License-Identifier: GPL-2.0
/*
 * Has memory that is lost to an error, by the kernel's own simulation of one
 * (MADV_HWPOISON): the second page of 4 MiB of the node's memory.
 *
 *	poison small|huge	prints its pid, then waits until it is killed
 *
 * With huge it is in a huge page that cannot be split at that moment, as another of its
 * pages is held (in a pipe), and so the error stays in the middle of it.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#define HUGE (2ul << 20)

/* Some kernels tell at once. */
static void on_sigbus(int signal)
{
	(void)signal;
}

int main(int argc, char **argv)
{
	const struct sigaction told = { .sa_handler = on_sigbus };
	int ends[2], advice;
	struct iovec part;
	char *memory;

	if (argc != 2)
		errx(2, "usage: poison small|huge");
	sigaction(SIGBUS, &told, NULL);
	advice = strcmp(argv[1], "huge") ? MADV_NOHUGEPAGE : MADV_HUGEPAGE;
	memory = mmap(NULL, 3 * HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED || madvise(memory, 3 * HUGE, advice))
		err(1, "memory");
	memory = (char *)(((uintptr_t)memory + HUGE - 1) & -HUGE);
	memset(memory, 1, 2 * HUGE);
	part = (struct iovec){ memory, 4096 };
	if (advice == MADV_HUGEPAGE && (pipe(ends) || vmsplice(ends[1], &part, 1, 0) != 4096))
		err(1, "vmsplice");
	/* That the kernel could not split the page is an error, too. */
	if (madvise(memory + 4096, 4096, MADV_HWPOISON) && advice != MADV_HUGEPAGE)
		err(1, "MADV_HWPOISON");
	if (advice == MADV_HUGEPAGE) {
		close(ends[0]);
		close(ends[1]);
	}
	printf("%d\n", getpid());
	fflush(stdout);
	for (;;)
		pause();
}
