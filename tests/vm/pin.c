// SPDX-License-Identifier: GPL-2.0
/*
 * Keeps pages of its own from being migrated: their references sit in a pipe
 * (vmsplice), as those of a device's unfinished I/O would; or they are registered
 * with io_uring, which pins them for good.
 *
 *	pin PAGES [uring]	prints its pid, then holds on until it is killed
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static void hold_by_pipe(struct iovec *part)
{
	static int ends[2];	/* open until the end */

	if (pipe(ends) || fcntl(ends[1], F_SETPIPE_SZ, part->iov_len) < 0)
		err(1, "pipe");
	if (vmsplice(ends[1], part, 1, 0) != (ssize_t)part->iov_len)
		err(1, "vmsplice");
}

static void hold_by_uring(struct iovec *part)
{
	struct io_uring_params params = { 0 };
	int ring = syscall(SYS_io_uring_setup, 1, &params);

	if (ring < 0 || syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS, part, 1))
		err(1, "io_uring");
}

int main(int argc, char **argv)
{
	size_t pages = argc >= 2 ? strtoul(argv[1], NULL, 10) : 0;
	size_t size = pages * sysconf(_SC_PAGESIZE);
	struct iovec part = { .iov_len = size };

	if (!pages)
		errx(2, "usage: pin PAGES [uring]");
	part.iov_base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			     -1, 0);
	if (part.iov_base == MAP_FAILED)
		err(1, "mmap");
	memset(part.iov_base, 1, size);
	if (argc > 2)
		hold_by_uring(&part);
	else
		hold_by_pipe(&part);
	printf("%d\n", getpid());
	fflush(stdout);
	pause();
	return 0;
}
