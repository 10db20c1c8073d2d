// SPDX-License-Identifier: LGPL-2.1
/* Moving the memory of another process, which is made to ask the driver for it. */
#include <fcntl.h>
#include <sys/syscall.h>

#include "private.h"

/* All that a process of 64 bits can have mapped, unless it asks for more in so many words. */
#define ADDRESSES	((1ull << 47) - 4096)

/* A request in the name of another process. */
struct foreign_request {
	struct remote *remote;
	uint64_t fd;			/* there */
	unsigned long request;
};

static int make_foreign(void *data, struct cxlmem_move *part)
{
	const struct foreign_request *foreign = data;
	uint64_t at = remote_page(foreign->remote);
	const uint64_t args[6] = { foreign->fd, foreign->request, at };
	int64_t rc;
	int copied;

	if (remote_put(foreign->remote, at, part, sizeof(*part)))
		return -ESRCH;
	rc = remote_call(foreign->remote, SYS_ioctl, args);
	copied = remote_get(foreign->remote, part, at, sizeof(*part));
	return rc < 0 ? (int)rc : copied ? -ESRCH : 0;
}

static int refuse(struct cxlmem_device *dev, pid_t pid, int rc)
{
	const char *why = strerror(-rc);

	switch (rc) {
	case -EACCES:
		why = "it may not use the device: its user is not in the group of the file";
		break;
	case -ENOENT:
		why = "it sees no such file";
		break;
	case -EBUSY:
		why = "the device is not in mode driver, or is just leaving it";
		break;
	case -ENOSPC:
		why = "there is no room for more";
		break;
	case -EDQUOT:
		why = "its user has all that a user may have";
		break;
	case -ESRCH:
		why = "it has ended";
		break;
	}
	return fail(dev->ctx, -rc, "process %d, by /dev/%s: %s", (int)pid, dev->name, why);
}

static int move_all(struct cxlmem_device *dev, struct remote *remote, bool out,
		    struct cxlmem_move *sum)
{
	uint64_t at = remote_page(remote);
	const uint64_t open_args[6] = { AT_FDCWD, at, O_RDWR | O_CLOEXEC };
	uint64_t close_args[6] = { 0 };
	struct foreign_request foreign = {
		.remote = remote,
		.request = out ? CXLMEM_IOC_MOVE_OUT : CXLMEM_IOC_MOVE_IN,
	};
	char path[NAME_LEN + sizeof("/dev/")];
	int64_t fd;
	int rc;

	snprintf(path, sizeof(path), "/dev/%s", dev->name);
	if (remote_put(remote, at, path, sizeof(path)))
		return -ESRCH;
	fd = remote_call(remote, SYS_openat, open_args);
	if (fd < 0)
		return fd;
	foreign.fd = close_args[0] = fd;
	rc = go_through(make_foreign, &foreign, sum);
	remote_call(remote, SYS_close, close_args);
	return rc;
}

EXPORT int cxlmem_device_move_process(struct cxlmem_device *dev, pid_t pid, bool out,
				      struct cxlmem_move *result)
{
	struct cxlmem_move sum = { .size = sizeof(sum), .length = ADDRESSES };
	struct remote *remote;
	int rc;

	if (result && result->size < sizeof(result->size))
		return fail(dev->ctx, EINVAL, "the size of the result makes no sense");
	/* A tree of files for tests has no processes. */
	if (dev->ctx->fake)
		return fail(dev->ctx, EOPNOTSUPP, "there are no processes below another root");
	if (strcmp(dev->mode, "driver"))
		return fail(dev->ctx, EBUSY,
			    "%s is in mode %s; \"cxlmemctl mode %s driver\" changes that",
			    dev->name, dev->mode, dev->name);
	rc = remote_begin(dev->ctx, pid, &remote);
	if (rc)
		return rc;
	rc = move_all(dev, remote, out, &sum);
	remote_end(remote);
	if (result)
		give_move(result, &sum);
	return rc ? refuse(dev, pid, rc) : 0;
}
