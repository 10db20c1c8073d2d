// SPDX-License-Identifier: GPL-2.0
/*
 * Memory as the device sees it: what the client has mapped for it, directly
 * shared or not at all, and the part of it that plays the device's own HDM.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "model.h"

#define MAX_REGIONS	1024
#define MAP_READ	(1u << 0)
#define MAP_WRITE	(1u << 1)

/*
 * Whether whatever the client maps of the file is shared. QEMU hands out the fd of
 * a backend with share=off as well, but then writes to a private copy.
 */
static bool shared_by_client(const struct t2 *t, const struct stat *file)
{
	unsigned int found = 0, private = 0;
	char path[64], line[512];
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)t->protocol.peer);
	maps = fopen(path, "re");
	if (!maps) {
		say("cannot tell whether memory is shared: %s: %s", path, strerror(errno));
		return false;
	}
	while (fgets(line, sizeof(line), maps)) {
		unsigned int major, minor;
		uint64_t inode;
		char mode;

		if (sscanf(line, "%*x-%*x %*3c%c %*x %x:%x %" SCNu64, &mode, &major, &minor,
			   &inode) != 4)
			continue;
		if (inode == file->st_ino && makedev(major, minor) == file->st_dev) {
			found++;
			private += mode == 'p';
		}
	}
	fclose(maps);
	return found && !private;
}

static uint8_t *map_file(struct t2 *t, int fd, uint64_t offset, uint64_t size, uint32_t flags)
{
	int prot = PROT_READ | (flags & MAP_WRITE ? PROT_WRITE : 0);
	struct stat file;
	void *map;

	if (fd < 0 || !(flags & MAP_READ) || fstat(fd, &file))
		return NULL;
	/* Beyond a file's end lies a SIGBUS. A client that cuts its file later harms itself. */
	if (!S_ISREG(file.st_mode) || file.st_size < 0 ||
	    !within(offset, size, 0, file.st_size) || offset % PAGE)
		return NULL;
	if (!shared_by_client(t, &file))
		return NULL;
	map = mmap(NULL, size, prot, MAP_SHARED, fd, offset);
	return map == MAP_FAILED ? NULL : map;
}

int memory_map(struct t2 *t, uint64_t start, uint64_t size, uint32_t flags, int fd, uint64_t offset)
{
	struct memory *m = &t->memory;
	struct dma_region *regions;

	if (!size || start + size - 1 < start || start % PAGE || size % PAGE ||
	    size > SIZE_MAX / 2 || flags & ~(MAP_READ | MAP_WRITE))
		return -EINVAL;
	for (unsigned int i = 0; i < m->count; i++) {
		const struct dma_region *r = &m->regions[i];

		if (start <= r->start + (r->size - 1) && r->start <= start + (size - 1))
			return -EEXIST;
	}
	if (m->count == MAX_REGIONS)
		return -ENOSPC;
	regions = reallocarray(m->regions, m->count + 1, sizeof(*regions));
	if (!regions)
		return -ENOMEM;
	m->regions = regions;
	regions[m->count++] = (struct dma_region) {
		.start = start,
		.size = size,
		.map = map_file(t, fd, offset, size, flags),
		.writable = flags & MAP_WRITE,
	};
	return 0;
}

static void remove_region(struct memory *m, unsigned int i)
{
	if (m->regions[i].map)
		munmap(m->regions[i].map, m->regions[i].size);
	m->regions[i] = m->regions[--m->count];
}

int memory_unmap(struct t2 *t, uint64_t start, uint64_t size)
{
	struct memory *m = &t->memory;

	for (unsigned int i = 0; i < m->count; i++) {
		if (m->regions[i].start == start && m->regions[i].size == size) {
			remove_region(m, i);
			return 0;
		}
	}
	return -ENOENT;
}

void memory_unmap_all(struct t2 *t)
{
	while (t->memory.count)
		remove_region(&t->memory, t->memory.count - 1);
	free(t->memory.regions);
	t->memory.regions = NULL;
}

static const struct dma_region *find(const struct memory *m, uint64_t start, uint64_t size)
{
	for (unsigned int i = 0; i < m->count; i++)
		if (within(start, size, m->regions[i].start, m->regions[i].size))
			return m->regions[i].map ? &m->regions[i] : NULL;
	return NULL;
}

bool memory_has_hdm(const struct t2 *t)
{
	const struct dma_region *r = find(&t->memory, t->hdm_base, t->hdm_size);

	return r && r->writable;
}

bool is_local(const struct t2 *t, uint64_t physical)
{
	return within(physical, 1, t->hdm_base, t->hdm_size);
}

enum t2_result memory_at(struct t2 *t, uint64_t physical, uint64_t size, bool write, void **at)
{
	const struct dma_region *r = find(&t->memory, physical, size);

	if (is_local(t, physical)) {
		if (!component_decodes(t) || !within(physical, size, t->hdm_base, t->hdm_size)) {
			engine_error(t, T2_ERROR_ADDRESS, physical);
			return T2_NO_MEMORY;
		}
		for (unsigned int i = 0; i < t->memory.poisoned; i++) {
			if (physical < t->memory.poison[i].end &&
			    physical + size > t->memory.poison[i].start) {
				engine_error(t, T2_ERROR_POISON, physical);
				return T2_POISON;
			}
		}
	} else if (!config_bus_master(t)) {
		engine_error(t, T2_ERROR_BUS_MASTER, physical);
		return T2_NO_BUS_MASTER;
	}
	if (!r || (write && !r->writable)) {
		engine_error(t, T2_ERROR_ADDRESS, physical);
		return T2_NO_MEMORY;
	}
	*at = r->map + (physical - r->start);
	return T2_OK;
}

int memory_poison(struct t2 *t, uint64_t start, uint64_t size)
{
	struct memory *m = &t->memory;

	if (!size || !within(start, size, t->hdm_base, t->hdm_size))
		return -EINVAL;
	if (m->poisoned == ARRAY_SIZE(m->poison))
		return -ENOSPC;
	m->poison[m->poisoned].start = start;
	m->poison[m->poisoned++].end = start + size;
	return 0;
}

void memory_unpoison(struct t2 *t)
{
	t->memory.poisoned = 0;
}
