// SPDX-License-Identifier: LGPL-2.1
/* Writing to the kernel: alone in its file, so that tests can put a fake kernel in its place. */
#include <fcntl.h>
#include <unistd.h>

#include "private.h"

int attr_write(int root, const char *path, const char *value)
{
	int fd = openat(root, path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	int rc = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0)
		rc = -errno;
	close(fd);
	return rc;
}
