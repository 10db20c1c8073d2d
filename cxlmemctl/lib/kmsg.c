// SPDX-License-Identifier: LGPL-2.1
/* The kernel's log: its reasons for refusing are nowhere else. */
#include <fcntl.h>
#include <unistd.h>

#include "private.h"

/* A flood of messages is not kept; the first of them say what went wrong. */
#define MAX_LINES 4096

void kmsg_open(struct cxlmem_ctx *ctx, struct kmsg *kmsg)
{
	memset(kmsg, 0, sizeof(*kmsg));
	kmsg->fd = openat(ctx->root, "dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (kmsg->fd >= 0)
		lseek(kmsg->fd, 0, SEEK_END);
}

static void add_line(struct kmsg *kmsg, const char *text)
{
	char **lines;

	if (kmsg->nr == MAX_LINES)
		return;
	lines = reallocarray(kmsg->lines, kmsg->nr + 1, sizeof(*lines));
	if (!lines)
		return;
	kmsg->lines = lines;
	lines[kmsg->nr] = strdup(text);
	if (lines[kmsg->nr])
		kmsg->nr++;
}

void kmsg_parse(struct kmsg *kmsg, char *text)
{
	char *line, *save = NULL;

	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		/* "level,sequence,time,flags;text"; lines with a blank first are about a device. */
		char *message = strchr(line, ';');

		if (line[0] != ' ' && message)
			add_line(kmsg, message + 1);
	}
}

void kmsg_collect(struct kmsg *kmsg)
{
	char text[8192];
	ssize_t len;

	if (kmsg->fd < 0)
		return;
	for (;;) {
		len = read(kmsg->fd, text, sizeof(text) - 1);
		if (len > 0) {
			text[len] = '\0';
			kmsg_parse(kmsg, text);
		} else if (len == 0 || errno != EPIPE) {
			/* EPIPE: the log has overrun us; what is left of it follows. */
			break;
		}
	}
}

void kmsg_close(struct kmsg *kmsg)
{
	while (kmsg->nr)
		free(kmsg->lines[--kmsg->nr]);
	free(kmsg->lines);
	kmsg->lines = NULL;
	if (kmsg->fd >= 0)
		close(kmsg->fd);
	kmsg->fd = -1;
}

/* Copies up to the size of the room, cutting off the rest. */
static void copy(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from);
}

static bool parse_failure(const char *line, struct offline_failure *failure)
{
	static const char head[] = "memory offlining [mem ";
	static const char tail[] = "] failed due to ";
	const char *at = strstr(line, head);
	unsigned long long start, end;
	int len = 0;

	if (!at)
		return false;
	at += sizeof(head) - 1;
	if (sscanf(at, "%llx-%llx%n", &start, &end, &len) != 2 || end < start)
		return false;
	at += len;
	if (strncmp(at, tail, sizeof(tail) - 1))
		return false;
	failure->start = start;
	failure->end = end;
	copy(failure->reason, sizeof(failure->reason), at + sizeof(tail) - 1);
	return true;
}

bool kmsg_offline_failure(const struct kmsg *kmsg, uint64_t start, uint64_t size,
			  struct offline_failure *failure)
{
	static const char dumped[] = "page dumped because: ";
	char page[sizeof(failure->page)] = "";
	struct offline_failure one;
	bool found = false;
	size_t i;

	for (i = 0; i < kmsg->nr; i++) {
		const char *at = strstr(kmsg->lines[i], dumped);

		/* The dump of the page comes before the failure it leads to. */
		if (at)
			copy(page, sizeof(page), at + sizeof(dumped) - 1);
		if (!parse_failure(kmsg->lines[i], &one))
			continue;
		if (one.end >= start && one.start - start < size) {
			*failure = one;
			strcpy(failure->page, page);
			found = true;
		}
		page[0] = '\0';
	}
	return found;
}

const char *kmsg_explain(const char *reason)
{
	static const struct {
		const char *reason;
		const char *words;
	} table[] = {
		{ "unmovable page",
		  "it holds memory of the kernel itself, which cannot be moved; zone movable keeps such memory off the device" },
		{ "failure to isolate range",
		  "it holds memory that the kernel cannot set apart, such as its own or one pinned for a device's DMA" },
		{ "failure to dissolve huge pages",
		  "it holds reserved huge pages and no other node has room for them; lower nr_hugepages of this node" },
		{ "signal backoff",
		  "it was stopped by a signal before all pages were moved; a page may be pinned for a device's DMA" },
		{ "notifier failure",
		  "a part of the kernel that was asked first did not agree" },
		{ "memory holes",
		  "parts of it are not memory" },
		{ "multizone range",
		  "it lies in several zones" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(table); i++)
		if (!strcmp(reason, table[i].reason))
			return table[i].words;
	return "the kernel could not move its pages";
}
