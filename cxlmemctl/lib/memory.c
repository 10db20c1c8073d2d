// SPDX-License-Identifier: LGPL-2.1
/*
 * Memory of a program on a device in mode "driver": requests to /dev/cxlmemN.
 * Nothing here touches a context but opening the file, so any thread may call it.
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "private.h"

static int why_not_open(struct cxlmem_device *dev, int err)
{
	switch (err) {
	case EACCES:
	case EPERM:
		return fail(dev->ctx, err,
			    "you may not use /dev/%s: it is for root and the group that owns it, \"cxlmem\" by our udev rule",
			    dev->name);
	case ENOENT:
	case ENXIO:
	case ENODEV:
		return fail(dev->ctx, err,
			    "there is no /dev/%s: the device has gone, or the driver has no mode \"driver\"",
			    dev->name);
	default:
		return fail(dev->ctx, err, "cannot open /dev/%s: %s", dev->name, strerror(err));
	}
}

EXPORT int cxlmem_device_open(struct cxlmem_device *dev)
{
	char path[NAME_LEN + sizeof("dev/")];
	int fd;

	if (dev->backend != &backend_cxlmem)
		return fail(dev->ctx, EOPNOTSUPP,
			    "%s belongs to another driver; only devices of cxlmem have mode \"driver\"",
			    dev->name);
	snprintf(path, sizeof(path), "dev/%s", dev->name);
	fd = openat(dev->ctx->root, path, O_RDWR | O_CLOEXEC | O_NOCTTY);
	return fd < 0 ? why_not_open(dev, errno) : fd;
}

/* What fits into a structure of the caller's, which may be older or newer than ours. */
static void give(void *to, size_t size, const void *from, size_t known)
{
	if (size > known)
		memset((char *)to + known, 0, size - known);
	memcpy(to, from, size < known ? size : known);
}

EXPORT int cxlmem_get_info(int fd, struct cxlmem_info *info)
{
	struct cxlmem_info mine = { .size = sizeof(mine) };
	uint32_t size = info->size;

	if (size < sizeof(size))
		return -EINVAL;
	if (ioctl(fd, CXLMEM_IOC_INFO, &mine))
		return -errno;
	mine.size = size;
	give(info, size, &mine, sizeof(mine));
	return 0;
}

/* Counts are all there is from there to the end of the structure, whatever their number. */
void add_move(struct cxlmem_move *sum, const struct cxlmem_move *part)
{
	const __u64 *from = (const __u64 *)&part->counts;
	__u64 *to = (__u64 *)&sum->counts;
	size_t i;

	for (i = 0; i < sizeof(sum->counts) / sizeof(*to); i++)
		to[i] += from[i];
	sum->done += part->done;
}

/*
 * Goes through all of a range. The kernel stops early for a signal, whose
 * handler has run when we are back here; so it goes on.
 */
int go_through(int (*request)(void *data, struct cxlmem_move *part), void *data,
	       struct cxlmem_move *sum)
{
	int rc = 0;

	while (!rc && sum->done < sum->length) {
		struct cxlmem_move part = {
			.size = sizeof(part),
			.start = sum->start + sum->done,
			.length = sum->length - sum->done,
		};

		rc = request(data, &part);
		/* With these the kernel has written nothing. */
		if (rc == -EFAULT || rc == -EINVAL || rc == -E2BIG || rc == -ENOTTY || rc == -ENODEV)
			break;
		/* Nor would anything come of believing in more than there was to do. */
		if (part.done > sum->length - sum->done || (!rc && !part.done))
			return -EPROTO;
		add_move(sum, &part);
		if (rc == -EINTR)
			rc = 0;
	}
	return rc;
}

void give_move(struct cxlmem_move *result, const struct cxlmem_move *sum)
{
	uint32_t size = result->size;

	give(result, size, sum, sizeof(*sum));
	result->size = size;
}

/* A request of this process. */
struct own_request {
	int fd;
	unsigned long request;
};

static int make_own(void *data, struct cxlmem_move *part)
{
	const struct own_request *own = data;

	return ioctl(own->fd, own->request, part) ? -errno : 0;
}

static int move(int fd, unsigned long request, const void *start, size_t length,
		struct cxlmem_move *result)
{
	struct own_request own = { .fd = fd, .request = request };
	struct cxlmem_move sum = {
		.size = sizeof(sum),
		.start = (uintptr_t)start,
		.length = length,
	};
	int rc;

	if ((result && result->size < sizeof(result->size)) || !length)
		return -EINVAL;
	rc = go_through(make_own, &own, &sum);
	if (result)
		give_move(result, &sum);
	return rc;
}

EXPORT int cxlmem_move_in(int fd, const void *start, size_t length, struct cxlmem_move *result)
{
	return move(fd, CXLMEM_IOC_MOVE_IN, start, length, result);
}

EXPORT int cxlmem_move_out(int fd, const void *start, size_t length, struct cxlmem_move *result)
{
	return move(fd, CXLMEM_IOC_MOVE_OUT, start, length, result);
}

EXPORT int cxlmem_create(int fd, const void *start, size_t length, struct cxlmem_move *result)
{
	return move(fd, CXLMEM_IOC_CREATE, start, length, result);
}

/* As go_through(). */
static int ask_residency(int fd, unsigned char *vector, struct cxlmem_residency *sum)
{
	while (sum->done < sum->length) {
		struct cxlmem_residency part = {
			.size = sizeof(part),
			.start = sum->start + sum->done,
			.length = sum->length - sum->done,
		};

		if (vector)
			part.vector = (uintptr_t)vector + sum->done / sysconf(_SC_PAGESIZE);
		if (ioctl(fd, CXLMEM_IOC_RESIDENCY, &part)) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (!part.done || part.done > sum->length - sum->done)
			return -EPROTO;
		sum->done += part.done;
		sum->none += part.none;
		sum->host += part.host;
		sum->device += part.device;
		sum->other += part.other;
	}
	return 0;
}

/* What it has had from the beginning; the kernel, too, refuses less. */
#define RESIDENCY_SIZE_MIN 104

_Static_assert(sizeof(struct cxlmem_residency) == RESIDENCY_SIZE_MIN,
	       "what is new in it may be missing in the caller's");

EXPORT int cxlmem_get_residency(int fd, const void *start, size_t length, unsigned char *vector,
				struct cxlmem_residency *result)
{
	uint32_t size = result->size;

	if (size < RESIDENCY_SIZE_MIN || !length)
		return -EINVAL;
	memset(result, 0, size);
	result->size = size;
	result->start = (uintptr_t)start;
	result->length = length;
	return ask_residency(fd, vector, result);
}

static bool whole_pages(size_t *size)
{
	size_t page = sysconf(_SC_PAGESIZE);

	if (!*size || *size > SIZE_MAX / 2)
		return false;
	*size = (*size + page - 1) / page * page;
	return true;
}

/*
 * Address space, aligned to what gets one piece of the device if it is that large.
 * It is not counted as a promise of the host's memory, of which it takes none.
 */
static void *reserve(size_t size, size_t huge)
{
	size_t extra = size >= huge ? huge : 0, before;
	char *memory = mmap(NULL, size + extra, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED || !extra)
		return memory;
	before = -(uintptr_t)memory % huge;
	if (before)
		munmap(memory, before);
	if (before < extra)
		munmap(memory + before + size, extra - before);
	return memory + before;
}

/* What mlockall(2) has put on the host at once is moved, not created. */
static int populate(int fd, void *memory, size_t size, bool all)
{
	struct cxlmem_move move = { .size = sizeof(move) };
	uint64_t pages = size / sysconf(_SC_PAGESIZE);
	int rc = cxlmem_create(fd, memory, size, &move);

	if (!rc && move.counts.host)
		rc = cxlmem_move_in(fd, memory, size, &move);
	if (!rc && move.counts.created + move.counts.moved + move.counts.already < pages)
		rc = -EBUSY;
	return !all && (rc == -ENOSPC || rc == -EDQUOT || rc == -EBUSY) ? 0 : rc;
}

EXPORT int cxlmem_alloc(int fd, size_t size, unsigned int flags, void **result)
{
	struct cxlmem_info info = { .size = sizeof(info) };
	void *memory;
	int rc;

	if (flags & ~CXLMEM_ALLOC_HOST_TOO || !whole_pages(&size))
		return -EINVAL;
	rc = cxlmem_get_info(fd, &info);
	if (rc)
		return rc;
	/* A power of two, or it is no alignment. */
	if (!info.huge_size || info.huge_size & (info.huge_size - 1))
		return -EPROTO;
	if (!(info.flags & CXLMEM_INFO_DRIVER_MODE) && !(flags & CXLMEM_ALLOC_HOST_TOO))
		return -EBUSY;
	memory = reserve(size, info.huge_size);
	if (memory == MAP_FAILED)
		return -errno;
	rc = populate(fd, memory, size, !(flags & CXLMEM_ALLOC_HOST_TOO));
	if (rc) {
		munmap(memory, size);
		return rc;
	}
	*result = memory;
	return 0;
}

EXPORT int cxlmem_free(void *memory, size_t size)
{
	if (!memory)
		return 0;
	if (!whole_pages(&size))
		return -EINVAL;
	return munmap(memory, size) ? -errno : 0;
}
