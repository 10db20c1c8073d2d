// SPDX-License-Identifier: GPL-2.0
/* A device's memory blocks as a line of characters: which are off line, how full the others are. */
#include "tool.h"

/* So many characters at most; then one stands for several blocks. */
#define MAX_CELLS 48

/* Looking at a block takes a while, so only so many are looked at again each time. */
#define BUDGET_MS 20

void map_update(struct block_map *map, struct cxlmem_device *dev)
{
	uint64_t until = now_ms() + BUDGET_MS;
	struct cxlmem_block block;
	size_t looked = 0;

	do {
		if (cxlmem_device_get_block(dev, map->next, &block))
			return;
		map->nr = cxlmem_device_get_usable_size(dev) / block.size;
		if (map->nr > MAX_MAP_BLOCKS)
			map->nr = MAX_MAP_BLOCKS;
		map->blocks[map->next].known = true;
		map->blocks[map->next].online = !strcmp(block.state, "online");
		map->blocks[map->next].fill = block.used * 100 / block.size;
		map->next = (map->next + 1) % map->nr;
		looked++;
	} while (looked < map->nr && now_ms() < until);
}

/* '?' not looked at yet, '.' off line, '_' empty, 1 to 9 tenths, '#' full */
static char cell(const struct block_map *map, size_t from, size_t to)
{
	unsigned int known = 0, online = 0, fill = 0;
	size_t i;

	for (i = from; i < to; i++) {
		known += map->blocks[i].known;
		online += map->blocks[i].online;
		fill += map->blocks[i].online ? map->blocks[i].fill : 0;
	}
	if (!known)
		return '?';
	if (!online)
		return '.';
	fill = (fill / online + 5) / 10;
	return fill == 0 ? '_' : fill == 10 ? '#' : '0' + fill;
}

const char *map_text(const struct block_map *map)
{
	static char text[MAX_CELLS + 1];
	size_t cells = map->nr < MAX_CELLS ? map->nr : MAX_CELLS, i;

	for (i = 0; i < cells; i++)
		text[i] = cell(map, i * map->nr / cells, (i + 1) * map->nr / cells);
	text[cells] = '\0';
	return text;
}
