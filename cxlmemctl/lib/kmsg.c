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

/* What is between two texts of a line; false if they are not there. */
static bool between(const char *line, const char *before, const char *after, char *text,
		    size_t size)
{
	const char *from = strstr(line, before), *to;

	if (!from)
		return false;
	from += strlen(before);
	to = *after ? strstr(from, after) : from + strlen(from);
	if (!to)
		return false;
	snprintf(text, size, "%.*s", (int)(to - from), from);
	return true;
}

/*
 * A page that cannot be moved is dumped: a line with its number, some with its
 * insides, and one that says why. That the block failed is logged only with
 * dynamic debugging on.
 */
bool kmsg_offline_failure(const struct kmsg *kmsg, uint64_t start, uint64_t size,
			  struct offline_failure *failure)
{
	uint64_t page = sysconf(_SC_PAGESIZE);
	struct offline_failure one = { 0 };
	bool found = false;
	char number[32], text[32];
	size_t i;

	for (i = 0; i < kmsg->nr; i++) {
		const char *line = kmsg->lines[i];

		if (between(line, " pfn:", "", number, sizeof(number))) {
			one.type[0] = one.file[0] = '\0';
			one.references = 0;
			if (between(line, "refcount:", " ", text, sizeof(text)) &&
			    parse_u64(text, 10, &one.references))
				one.references = 0;
			if (parse_number(number, &one.address) || one.address > UINT64_MAX / page)
				one.address = 0;
			one.address *= page;
			continue;
		}
		if (between(line, "dentry name(?):\"", "\"", one.file, sizeof(one.file)))
			continue;
		if (between(line, "page_type: ", ")", number, sizeof(number)) &&
		    strchr(number, '(')) {
			snprintf(one.type, sizeof(one.type), "%s", strchr(number, '(') + 1);
			continue;
		}
		if (between(line, "memory offlining [mem ", "-", number, sizeof(number))) {
			if (parse_number(number, &one.address) ||
			    !between(line, "] failed due to ", "", one.reason, sizeof(one.reason)))
				continue;
		} else if (!between(line, "page dumped because: ", "", one.reason,
				    sizeof(one.reason))) {
			continue;
		}
		if (one.address >= start && one.address - start < size) {
			*failure = one;
			found = true;
		}
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
		{ "migration failure",
		  "pages of it are in use in a way that keeps them from being moved, such as pinned for a device's DMA" },
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
