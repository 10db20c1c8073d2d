// SPDX-License-Identifier: LGPL-2.1
/*
 * Pages that somebody holds, so that they cannot be moved: the driver counts
 * references that page tables and files do not explain. Of memory that other drivers
 * manage nobody can tell.
 */
#include "private.h"

/* "0x390000000 65536 pinned" */
static bool parse_line(char *line, struct range *range, bool *pinned)
{
	char *save, *start = strtok_r(line, " ", &save), *size = strtok_r(NULL, " ", &save);
	char *how = strtok_r(NULL, " ", &save);

	if (!how || parse_number(start, &range->start) || parse_number(size, &range->size) ||
	    range->size > UINT64_MAX - range->start)
		return false;
	*pinned = !strcmp(how, "pinned");
	return true;
}

void held_read(struct cxlmem_device *dev, struct held *held)
{
	char path[PATH_MAX], *text, *line, *save = NULL;
	bool pinned;

	memset(held, 0, sizeof(*held));
	snprintf(path, sizeof(path), "%s/contents/held", dev->dir);
	text = sysfs_read_all(dev->ctx, path, 1 << 16);
	if (!text)
		return;
	/* As many as there are lines. */
	held->v = calloc(strlen(text) / 2 + 1, sizeof(*held->v));
	for (line = strtok_r(text, "\n", &save); held->v && line;
	     line = strtok_r(NULL, "\n", &save)) {
		struct range range;

		if (!parse_line(line, &range, &pinned))
			continue;
		held->v[held->nr++] = range;
		held->pinned |= pinned;
	}
	free(text);
}

bool is_held(const struct held *held, uint64_t address)
{
	size_t i;

	for (i = 0; i < held->nr; i++)
		if (in_range(&held->v[i], address))
			return true;
	return false;
}

void held_keep(struct held *held, const struct range *range)
{
	size_t i, nr = 0;

	held->bytes = 0;
	for (i = 0; i < held->nr; i++) {
		if (!in_range(range, held->v[i].start))
			continue;
		held->bytes += held->v[i].size;
		held->v[nr++] = held->v[i];
	}
	held->nr = nr;
}
