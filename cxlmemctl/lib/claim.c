// SPDX-License-Identifier: LGPL-2.1
/*
 * Claims of mode "cma": making one, and who has which. The kernel says which there
 * are and what their inodes are; who has those is to be found in /proc.
 */
#include <dirent.h>
#include <inttypes.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "private.h"

/* What there can be of them in an attribute, and in a file about a descriptor. */
#define MAX_CLAIMS	256
#define MAX_LIST	(1 << 16)
#define MAX_FDINFO	4096
#define MAX_MAPS	(64 << 20)

/* What has been written in case of an error, too, is at the beginning. */
#define BUFFER_SIZE_MIN	88

_Static_assert(sizeof(struct cxlmem_buffer) == BUFFER_SIZE_MIN,
	       "what is new in it may be missing in the caller's");

static int no_place(struct cxlmem_device *dev, const struct cxlmem_buffer *buffer)
{
	uint64_t largest = 0;
	char text[2][16];

	sysfs_read_number(dev->ctx, &largest, "%s/cma/largest", dev->dir);
	return fail(dev->ctx, ENOSPC,
		    "%s has no contiguous piece of %s between the claims%s, the longest is %s; \"cxlmemctl claim %s\" lists them",
		    dev->name, cxlmem_format_size(buffer->length, text[0], sizeof(text[0])),
		    buffer->align ? " that is so aligned" : "",
		    cxlmem_format_size(largest, text[1], sizeof(text[1])), dev->name);
}

static int in_the_way(struct cxlmem_device *dev, const struct cxlmem_buffer *buffer)
{
	uint64_t address = dev->range.start + buffer->obstacle;
	char pages[512] = "", size[16];

	pages_describe(dev->ctx, address, sysconf(_SC_PAGESIZE), pages, sizeof(pages));
	return fail(dev->ctx, EADDRINUSE,
		    "every contiguous piece of %s on %s has something in it that cannot be moved, such as at %#" PRIx64 "%s%s; it is in use by I/O or the kernel, and --wait waits for it",
		    cxlmem_format_size(buffer->length, size, sizeof(size)), dev->name, address,
		    pages[0] ? ": " : "", pages);
}

static int refuse(struct cxlmem_device *dev, const struct cxlmem_buffer *buffer, int err)
{
	char size[16];

	cxlmem_format_size(buffer->length, size, sizeof(size));
	switch (err) {
	case ENOSPC:
		return no_place(dev, buffer);
	case EADDRINUSE:
		return in_the_way(dev, buffer);
	case EAGAIN:
		return fail(dev->ctx, err,
			    "%s has no %s that are free in one piece; without --try, what the system has there is moved away",
			    dev->name, size);
	case EDQUOT:
		return fail(dev->ctx, err, "you have all of %s that a user may have", dev->name);
	case ENOMEM:
		return fail(dev->ctx, err,
			    "the rest of the machine has no room for what the system has on %s",
			    dev->name);
	case EBUSY:
		return fail(dev->ctx, err, "%s is not in mode cma, or is just leaving it",
			    dev->name);
	case EINTR:
		return fail(dev->ctx, err, "stopped; nothing has been claimed");
	case EINVAL:
		return fail(dev->ctx, err,
			    "a claim is of more than 0 bytes, aligned to a power of two, and either tries or waits");
	default:
		return fail(dev->ctx, err, "cannot claim %s of %s: %s", size, dev->name,
			    strerror(err));
	}
}

EXPORT int cxlmem_device_claim(struct cxlmem_device *dev, struct cxlmem_buffer *buffer)
{
	int fd, rc;

	if (buffer->size < BUFFER_SIZE_MIN)
		return fail(dev->ctx, EINVAL, "struct cxlmem_buffer has no size");
	if (strcmp(dev->mode, "cma"))
		return fail(dev->ctx, EBUSY,
			    "%s is in mode %s; \"cxlmemctl mode %s cma\" changes that",
			    dev->name, dev->mode, dev->name);
	fd = cxlmem_device_open(dev);
	if (fd < 0)
		return fd;
	rc = ioctl(fd, CXLMEM_IOC_CLAIM, buffer) ? -errno : buffer->fd;
	close(fd);
	return rc < 0 ? refuse(dev, buffer, -rc) : rc;
}

/* ---- who has them */

struct entry {
	struct cxlmem_claim claim;
	char maker_command[NAME_LEN];
	bool here;			/* the process that is looked at has it */
	bool anywhere;
};

struct search {
	struct cxlmem_device *dev;
	struct entry entries[MAX_CLAIMS];
	size_t nr;
	pid_t pid;			/* the process that is looked at */
	int (*tell)(const struct cxlmem_claim *claim, void *data);
	void *data;
};

static void mark(struct search *search, uint64_t inode)
{
	size_t i;

	for (i = 0; i < search->nr; i++)
		if (search->entries[i].claim.id == inode)
			search->entries[i].here = true;
}

/* A number behind a key at the beginning of a line. */
static bool find_number(const char *text, const char *key, uint64_t *value)
{
	const char *at = strstr(text, key);
	unsigned long long number;

	if (!at || sscanf(at + strlen(key), " %llu", &number) != 1)
		return false;
	*value = number;
	return true;
}

/* Inodes of other kinds of file may have the same number. */
static int look_at_file(const char *name, void *data)
{
	struct search *search = data;
	char path[64 + NAME_LEN], ours[32 + NAME_LEN], *text;
	uint64_t inode;

	if (strlen(name) >= NAME_LEN)
		return 0;
	snprintf(path, sizeof(path), "proc/%d/fdinfo/%s", (int)search->pid, name);
	text = sysfs_read_all(search->dev->ctx, path, MAX_FDINFO);
	if (!text)
		return 0;
	snprintf(ours, sizeof(ours), "\nexp_name:\t%s\n", search->dev->name);
	if (strstr(text, ours) && find_number(text, "\nino:", &inode))
		mark(search, inode);
	free(text);
	return 0;
}

static void look_at_mappings(struct search *search)
{
	char path[64], *text, *line, *save = NULL;
	unsigned long long inode;

	snprintf(path, sizeof(path), "proc/%d/maps", (int)search->pid);
	text = sysfs_read_all(search->dev->ctx, path, MAX_MAPS);
	if (!text)
		return;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (strstr(line, " /dmabuf:") &&
		    sscanf(line, "%*s %*s %*s %*s %llu", &inode) == 1)
			mark(search, inode);
	free(text);
}

static int look_at_process(const char *name, void *data)
{
	struct search *search = data;
	char path[64], command[ATTR_LEN] = "";
	uint64_t pid;
	int rc = 0;
	size_t i;

	if (parse_u64(name, 10, &pid) || !pid || pid > INT_MAX)
		return 0;
	search->pid = pid;
	snprintf(path, sizeof(path), "proc/%d/fdinfo", (int)pid);
	sysfs_each(search->dev->ctx, path, look_at_file, search);
	look_at_mappings(search);
	for (i = 0; i < search->nr && !rc; i++) {
		struct entry *entry = &search->entries[i];

		if (!entry->here)
			continue;
		entry->here = false;
		entry->anywhere = true;
		if (sysfs_read(search->dev->ctx, command, sizeof(command), "proc/%d/comm",
			       (int)pid) <= 0)
			command[0] = '\0';
		entry->claim.pid = pid;
		entry->claim.command = command;
		rc = search->tell(&entry->claim, search->data);
	}
	return rc;
}

/* One line for each: ID OFFSET SIZE UID PID COMMAND. */
static int read_claims(struct search *search)
{
	char path[3 * NAME_LEN], *text, *line, *save = NULL;

	snprintf(path, sizeof(path), "%s/cma/claims", search->dev->dir);
	text = sysfs_read_all(search->dev->ctx, path, MAX_LIST);
	if (!text)
		return errno == ENOENT ? 0 :
			fail(search->dev->ctx, errno, "cannot read the claims on %s: %s",
			     search->dev->name, strerror(errno));
	for (line = strtok_r(text, "\n", &save); line && search->nr < MAX_CLAIMS;
	     line = strtok_r(NULL, "\n", &save)) {
		struct entry *entry = &search->entries[search->nr];
		unsigned long long id, offset, size;
		unsigned int uid;
		int pid, at = 0;

		if (sscanf(line, "%llu %llx %llu %u %d %n", &id, &offset, &size, &uid, &pid,
			   &at) < 5 || !at)
			continue;
		entry->claim = (struct cxlmem_claim){
			.id = id, .offset = offset, .size = size, .uid = uid, .maker = pid,
			.maker_command = entry->maker_command, .command = "",
		};
		snprintf(entry->maker_command, sizeof(entry->maker_command), "%s", line + at);
		search->nr++;
	}
	free(text);
	return 0;
}

EXPORT int cxlmem_device_claims(struct cxlmem_device *dev,
				int (*claim)(const struct cxlmem_claim *claim, void *data),
				void *data)
{
	struct search *search = calloc(1, sizeof(*search));
	size_t i;
	int rc;

	if (!search)
		return fail(dev->ctx, ENOMEM, "not enough memory to list the claims");
	search->dev = dev;
	search->tell = claim;
	search->data = data;
	rc = read_claims(search);
	if (!rc && search->nr)
		rc = sysfs_each(dev->ctx, "proc", look_at_process, search);
	for (i = 0; i < search->nr && !rc; i++)
		if (!search->entries[i].anywhere) {
			search->entries[i].claim.pid = 0;
			search->entries[i].claim.command = "";
			rc = claim(&search->entries[i].claim, data);
		}
	free(search);
	return rc;
}
