// SPDX-License-Identifier: LGPL-2.1
/*
 * One program at a time on a device. The lock is on a file that only root can
 * open, so that nobody else can make root wait; the kernel drops it with the
 * last process that holds it, however that dies.
 */
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "private.h"

/* Process that holds a lock on this file, 0 if it cannot be told. */
static pid_t holder(struct cxlmem_ctx *ctx, int fd)
{
	char *locks = sysfs_read_all(ctx, "proc/locks", 1 << 20);
	char *line, *save = NULL;
	struct stat st;
	pid_t pid = 0;

	if (!locks || fstat(fd, &st)) {
		free(locks);
		return 0;
	}
	for (line = strtok_r(locks, "\n", &save); line && !pid; line = strtok_r(NULL, "\n", &save)) {
		unsigned int major, minor;
		unsigned long long inode;
		int owner;

		if (sscanf(line, "%*d: FLOCK %*s %*s %d %x:%x:%llu", &owner, &major, &minor,
			   &inode) == 4 &&
		    makedev(major, minor) == st.st_dev && inode == st.st_ino && owner > 0)
			pid = owner;
	}
	free(locks);
	return pid;
}

static void describe(struct cxlmem_ctx *ctx, int fd, char *text, size_t size)
{
	char name[NAME_LEN];
	pid_t pid = holder(ctx, fd);

	if (!pid)
		snprintf(text, size, "another program");
	else if (sysfs_read(ctx, name, sizeof(name), "proc/%d/comm", pid) > 0)
		snprintf(text, size, "another %s (pid %d)", name, pid);
	else
		snprintf(text, size, "another program (pid %d)", pid);
}

#define LOCK_DIR "run/cxlmem"

/* The files stay: to remove one is to let two programs lock two of a name. */
static int open_lock(struct transition *t)
{
	char path[sizeof(LOCK_DIR) + NAME_LEN + sizeof("/.lock")];
	int fd;

	if (mkdirat(t->ctx->root, LOCK_DIR, 0755) && errno != EEXIST)
		return fail(t->ctx, errno, "cannot make the directory /" LOCK_DIR " for locks: %s",
			    strerror(errno));
	snprintf(path, sizeof(path), LOCK_DIR "/%s.lock", t->dev->name);
	fd = openat(t->ctx->root, path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail(t->ctx, errno, "cannot open the lock file /%s: %s", path,
			    strerror(errno));
	return fd;
}

int lock_device(struct transition *t)
{
	struct cxlmem_device *dev = t->dev;
	char other[2 * NAME_LEN];
	int fd = open_lock(t);

	if (fd < 0)
		return fd;
	if (!flock(fd, LOCK_EX | LOCK_NB))
		return fd;

	describe(t->ctx, fd, other, sizeof(other));
	if (t->opt.flags & CXLMEM_NO_WAIT) {
		close(fd);
		return fail(t->ctx, EBUSY, "%s works on %s", other, dev->name);
	}
	event_text(t, CXLMEM_EVENT_WAIT, "%s works on %s; waiting for it", other, dev->name);
	while (flock(fd, LOCK_EX)) {
		/* A signal: the caller's event function knows what it means. */
		if (errno == EINTR && !event_progress(t, "waiting", 0, 0))
			continue;
		close(fd);
		return fail(t->ctx, EINTR, "%s: stopped waiting; nothing was changed", dev->name);
	}
	return fd;
}
