// SPDX-License-Identifier: LGPL-2.1
/*
 * Pages that cannot be moved, since somebody holds them (the driver counts references
 * that page tables and files do not explain) or since their file system does not know
 * how. Of memory that other drivers manage nobody can tell.
 */
#include "private.h"

/* "0x390000000 65536 pinned", "0x390010000 4096 fixed ramfs" */
static bool parse_line(char *line, struct held_pages *pages)
{
	char *save, *start = strtok_r(line, " ", &save), *size = strtok_r(NULL, " ", &save);
	char *how = strtok_r(NULL, " ", &save), *file_system = strtok_r(NULL, " ", &save);

	if (!how || parse_number(start, &pages->range.start) ||
	    parse_number(size, &pages->range.size) ||
	    pages->range.size > UINT64_MAX - pages->range.start)
		return false;
	pages->how = !strcmp(how, "pinned") ? PINNED : !strcmp(how, "fixed") ? FIXED : HELD;
	snprintf(pages->file_system, sizeof(pages->file_system), "%s",
		 file_system ? file_system : "");
	return true;
}

void held_read(struct cxlmem_device *dev, struct held *held)
{
	char path[PATH_MAX], *text, *line, *save = NULL;

	memset(held, 0, sizeof(*held));
	snprintf(path, sizeof(path), "%s/contents/held", dev->dir);
	text = sysfs_read_all(dev->ctx, path, 1 << 16);
	if (!text)
		return;
	/* As many as there are lines. */
	held->v = calloc(strlen(text) / 2 + 1, sizeof(*held->v));
	for (line = strtok_r(text, "\n", &save); held->v && line;
	     line = strtok_r(NULL, "\n", &save))
		if (parse_line(line, &held->v[held->nr]))
			held->nr++;
	free(text);
}

bool is_held(const struct held *held, uint64_t address)
{
	size_t i;

	for (i = 0; i < held->nr; i++)
		if (in_range(&held->v[i].range, address))
			return true;
	return false;
}

uint64_t held_keep(struct held *held, const struct range *range, unsigned int hows)
{
	uint64_t bytes = 0;
	size_t i, nr = 0;

	for (i = 0; i < held->nr; i++) {
		if (!in_range(range, held->v[i].range.start) || !(hows & 1u << held->v[i].how))
			continue;
		bytes += held->v[i].range.size;
		held->v[nr++] = held->v[i];
	}
	held->nr = nr;
	return bytes;
}
