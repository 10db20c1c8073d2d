// SPDX-License-Identifier: LGPL-2.1
/*
 * Reading attributes. Everything is relative to the context's root directory,
 * bounded, and may hold anything: a driver's bug must not become ours.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include "private.h"

/* Builds a path in a local array; leaves the function with -ENAMETOOLONG if it is too long. */
#define FORMAT_PATH(path, fmt)								\
	do {										\
		va_list args;								\
		int path_len;								\
											\
		va_start(args, fmt);							\
		path_len = vsnprintf(path, sizeof(path), fmt, args);			\
		va_end(args);								\
		if (path_len < 0 || (size_t)path_len >= sizeof(path))			\
			return -ENAMETOOLONG;						\
	} while (0)

static int read_line(struct cxlmem_ctx *ctx, char *buf, size_t size, const char *path)
{
	int fd = openat(ctx->root, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t len;

	if (fd < 0)
		return -errno;
	len = read(fd, buf, size);
	if (len < 0)
		len = -errno;
	close(fd);
	if (len < 0)
		return len;
	if ((size_t)len == size)
		return -EFBIG;
	if (memchr(buf, '\0', len))
		return -EBADMSG;
	buf[len] = '\0';
	while (len && (buf[len - 1] == '\n' || buf[len - 1] == ' '))
		buf[--len] = '\0';
	return len;
}

int sysfs_read(struct cxlmem_ctx *ctx, char *buf, size_t size, const char *fmt, ...)
{
	char path[PATH_MAX];

	FORMAT_PATH(path, fmt);
	return read_line(ctx, buf, size, path);
}

int sysfs_read_number(struct cxlmem_ctx *ctx, uint64_t *value, const char *fmt, ...)
{
	char path[PATH_MAX], buf[ATTR_LEN];
	int rc;

	FORMAT_PATH(path, fmt);
	rc = read_line(ctx, buf, sizeof(buf), path);
	return rc < 0 ? rc : parse_number(buf, value);
}

int sysfs_read_nodes(struct cxlmem_ctx *ctx, struct nodes *nodes, const char *fmt, ...)
{
	char path[PATH_MAX], buf[8 * MAX_NODES];
	int rc;

	FORMAT_PATH(path, fmt);
	rc = read_line(ctx, buf, sizeof(buf), path);
	return rc < 0 ? rc : parse_nodes(buf, nodes);
}

bool sysfs_exists(struct cxlmem_ctx *ctx, const char *fmt, ...)
{
	char path[PATH_MAX];

	FORMAT_PATH(path, fmt);
	return !faccessat(ctx->root, path, F_OK, 0);
}

/* The @nth part of a link's target, counted from its end. */
static int link_part(struct cxlmem_ctx *ctx, char *name, size_t size, const char *path,
		     unsigned int nth)
{
	char target[PATH_MAX], *part;
	ssize_t len = readlinkat(ctx->root, path, target, sizeof(target));

	if (len < 0)
		return -errno;
	if ((size_t)len == sizeof(target))
		return -ENAMETOOLONG;
	target[len] = '\0';
	for (;;) {
		part = strrchr(target, '/');
		if (!nth-- || !part)
			break;
		*part = '\0';
	}
	part = part ? part + 1 : target;
	if (!*part || strlen(part) >= size)
		return -ENAMETOOLONG;
	strcpy(name, part);
	return 0;
}

int sysfs_link(struct cxlmem_ctx *ctx, char *name, size_t size, const char *fmt, ...)
{
	char path[PATH_MAX];

	FORMAT_PATH(path, fmt);
	return link_part(ctx, name, size, path, 0);
}

int sysfs_link_parent(struct cxlmem_ctx *ctx, char *name, size_t size, const char *fmt, ...)
{
	char path[PATH_MAX];

	FORMAT_PATH(path, fmt);
	return link_part(ctx, name, size, path, 1);
}

int sysfs_each(struct cxlmem_ctx *ctx, const char *path,
	       int (*fn)(const char *name, void *data), void *data)
{
	int fd = openat(ctx->root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;
	int rc = 0;
	DIR *dir;

	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while (!rc && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			rc = fn(entry->d_name, data);
	closedir(dir);
	return rc;
}

char *sysfs_read_all(struct cxlmem_ctx *ctx, const char *path, size_t max)
{
	int fd = openat(ctx->root, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	size_t len = 0, room = 4096;
	char *text, *more;
	ssize_t part = 0;

	if (fd < 0)
		return NULL;
	text = malloc(room + 1);
	while (text && (part = read(fd, text + len, room - len)) > 0) {
		len += part;
		if (len < room)
			continue;
		room *= 2;
		if (room > 2 * max) {
			errno = EFBIG;
			part = -1;
			break;
		}
		more = realloc(text, room + 1);
		if (!more)
			free(text);
		text = more;
	}
	if (text && part < 0) {
		free(text);
		text = NULL;
	}
	if (text)
		text[len] = '\0';
	close(fd);
	return text;
}

int sysfs_write(struct cxlmem_ctx *ctx, const char *value, const char *fmt, ...)
{
	char path[PATH_MAX];

	FORMAT_PATH(path, fmt);
	return attr_write(ctx->root, path, value);
}
