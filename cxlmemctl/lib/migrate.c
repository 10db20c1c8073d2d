// SPDX-License-Identifier: LGPL-2.1
/* Moving the memory of another process, which is for the kernel to allow. */
#include <sys/ioctl.h>
#include <unistd.h>

#include "private.h"

/* After so much the caller is told how far it came, and can stop it. */
#define PIECE	(64ull << 20)

struct migration {
	struct transition t;		/* for its events */
	pid_t pid;
	int fd;
	unsigned long request;
	uint64_t total;			/* bytes that the process had at the beginning */
	struct cxlmem_move sum;
};

static int make_request(void *data, struct cxlmem_move *part)
{
	const struct migration *m = data;

	part->pid = m->pid;
	return ioctl(m->fd, m->request, part) ? -errno : 0;
}

static uint64_t bytes_at_place(const struct cxlmem_counts *counts)
{
	return (counts->moved + counts->already) * sysconf(_SC_PAGESIZE);
}

static int move_mapping(uint64_t start, uint64_t end, void *data)
{
	struct migration *m = data;
	int rc = 0;

	while (!rc && start < end) {
		struct cxlmem_move piece = {
			.start = start,
			.length = end - start < PIECE ? end - start : PIECE,
		};

		rc = go_through(make_request, m, &piece);
		add_move(&m->sum, &piece);
		start += piece.length;
		if (!rc && event_progress(&m->t, "moving", bytes_at_place(&m->sum.counts), m->total))
			rc = -EINTR;
	}
	return rc;
}

static int refuse(struct cxlmem_device *dev, pid_t pid, int rc)
{
	const char *why = strerror(-rc);

	switch (rc) {
	case -EINTR:
		why = "stopped";
		break;
	case -EPERM:
		why = "it is not yours: that needs the same user and group and no capabilities that you lack, or CAP_SYS_PTRACE";
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
		why = "there is no such process with memory of its own, or it has just ended";
		break;
	default:
		break;
	}
	return fail(dev->ctx, -rc, "process %d: %s", (int)pid, why);
}

EXPORT int cxlmem_device_move_process(struct cxlmem_device *dev, pid_t pid, bool out,
				      const struct cxlmem_options *options,
				      struct cxlmem_move *result)
{
	struct migration m = {
		.t = { .ctx = dev->ctx, .dev = dev },
		.pid = pid,
		.request = out ? CXLMEM_IOC_MOVE_OUT : CXLMEM_IOC_MOVE_IN,
	};
	int rc;

	if (pid < 1 || (result && result->size < sizeof(result->size)))
		return fail(dev->ctx, EINVAL, "%d is not the number of a process", (int)pid);
	if (strcmp(dev->mode, "driver"))
		return fail(dev->ctx, EBUSY,
			    "%s is in mode %s; \"cxlmemctl mode %s driver\" changes that",
			    dev->name, dev->mode, dev->name);
	options_copy(&m.t.opt, options);
	m.fd = cxlmem_device_open(dev);
	if (m.fd < 0)
		return m.fd;
	/* A thread of the kernel has none, nor has one that has ended. */
	rc = process_number(dev->ctx, pid, "RssAnon", &m.total) ? -ESRCH : 0;
	m.total *= 1024;
	if (!rc)
		rc = process_each_mapping(dev->ctx, pid, move_mapping, &m);
	/* That we may not see its mappings is for the same reasons. */
	if (rc == -EACCES)
		rc = -EPERM;
	close(m.fd);
	if (result)
		give_move(result, &m.sum);
	return rc ? refuse(dev, pid, rc) : 0;
}
