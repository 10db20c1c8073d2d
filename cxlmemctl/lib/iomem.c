// SPDX-License-Identifier: LGPL-2.1
/* Who holds physical addresses: /proc/iomem, whose addresses only root sees. */
#include "private.h"

int iomem_holder(struct cxlmem_ctx *ctx, uint64_t start, uint64_t size, char *name, size_t len)
{
	char *text = sysfs_read_all(ctx, "proc/iomem", 1 << 20);
	char *line, *save = NULL;
	size_t depth = 0;
	int found = 0;

	if (!text)
		return -errno;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		size_t indent = strspn(line, " ");
		unsigned long long first, last;
		int at = 0;

		if (sscanf(line, "%llx-%llx : %n", &first, &last, &at) != 2 || !at)
			continue;
		if (!last || last < start || first > start + (size - 1))
			continue;
		/* The outer ones are windows; the innermost is who uses it. */
		if (found && indent <= depth)
			continue;
		snprintf(name, len, "%s", line + at);
		depth = indent;
		found = 1;
	}
	free(text);
	return found;
}
