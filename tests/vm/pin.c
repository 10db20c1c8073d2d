// SPDX-License-Identifier: GPL-2.0
/*
 * Keeps pages of its own from being migrated: their references sit in a pipe
 * (vmsplice), as those of a device's unfinished I/O would.
 *
 *	pin PAGES	prints its pid, then holds on until it is killed
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	size_t pages = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
	size_t size = pages * sysconf(_SC_PAGESIZE);
	struct iovec part = { .iov_len = size };
	int ends[2];

	if (!pages)
		errx(2, "usage: pin PAGES");
	part.iov_base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			     -1, 0);
	if (part.iov_base == MAP_FAILED)
		err(1, "mmap");
	memset(part.iov_base, 1, size);
	if (pipe(ends) || fcntl(ends[1], F_SETPIPE_SZ, size) < 0)
		err(1, "pipe");
	if (vmsplice(ends[1], &part, 1, 0) != (ssize_t)size)
		err(1, "vmsplice");
	printf("%d\n", getpid());
	fflush(stdout);
	pause();
	return 0;
}
