// SPDX-License-Identifier: GPL-2.0
/*
 * The component registers: RAS and one HDM decoder. (CXL 3.1: 8.2.4 the array of
 * capabilities, 8.2.4.17 RAS, 8.2.4.20 HDM decoders.)
 *
 * The platform routes one range to the function, that of its memory backend. So
 * a decoder can be committed there and nowhere else.
 */
#include <string.h>

#include "model.h"

#define RAS		0x080
#define   UNCOR_STATUS	0x00
#define   UNCOR_MASK	0x04
#define   UNCOR_SEVERITY 0x08
#define   COR_STATUS	0x0c
#define   COR_MASK	0x10
#define   ERROR_CONTROL	0x14
#define   HEADER_LOG	0x18
#define   HEADER_LOG_END 0x58
#define   UNCOR_BITS	0x0001cfffu
#define   MEM_DATA_ECC	7		/* a bit's number */
#define   COR_BITS	0x0000007fu
#define   COR_MEM_ECC	(1u << 1)

#define HDM		0x100
#define   GLOBAL	0x04
#define     POISON_ON_ERROR (1u << 0)
#define     ENABLE	(1u << 1)
#define   BASE_LOW	0x10
#define   BASE_HIGH	0x14
#define   SIZE_LOW	0x18
#define   SIZE_HIGH	0x1c
#define   CTRL		0x20
#define     LOCK_ON_COMMIT (1u << 8)
#define     COMMIT	(1u << 9)
#define     COMMITTED	(1u << 10)
#define     NOT_COMMITTED (1u << 11)
#define     HOST_ONLY	(1u << 12)
#define     CTRL_WRITABLE 0x000013ffu
#define     INTERLEAVE	0x000000ffu
#define   SKIP_LOW	0x24
#define   SKIP_HIGH	0x28

static uint32_t *word(struct t2 *t, uint32_t at)
{
	return &t->component[at / 4];
}

void component_reset(struct t2 *t)
{
	memset(t->component, 0, sizeof(t->component));
	/* The array: two capabilities, and where they are. */
	*word(t, 0) = 1 | 1 << 16 | 1 << 20 | 2 << 24;
	*word(t, 4) = 2 | 2 << 16 | RAS << 20;
	*word(t, 8) = 5 | 1 << 16 | HDM << 20;

	*word(t, RAS + UNCOR_MASK) = UNCOR_BITS;
	*word(t, RAS + UNCOR_SEVERITY) = UNCOR_BITS;
	*word(t, RAS + COR_MASK) = COR_BITS;

	/* One decoder; the memory is device coherent, nothing else. */
	*word(t, HDM) = 1 << 21;
	if (t->committed) {
		*word(t, HDM + GLOBAL) = ENABLE;
		*word(t, HDM + BASE_LOW) = t->hdm_base;
		*word(t, HDM + BASE_HIGH) = t->hdm_base >> 32;
		*word(t, HDM + SIZE_LOW) = t->hdm_size;
		*word(t, HDM + SIZE_HIGH) = t->hdm_size >> 32;
		*word(t, HDM + CTRL) = LOCK_ON_COMMIT | COMMIT | COMMITTED;
	}
}

bool component_decodes(const struct t2 *t)
{
	return t->component[(HDM + GLOBAL) / 4] & ENABLE &&
	       t->component[(HDM + CTRL) / 4] & COMMITTED;
}

uint32_t component_read(struct t2 *t, uint32_t offset)
{
	if (!within(offset, 4, CACHE_MEM_OFFSET, CACHE_MEM_SIZE))
		return 0;
	return *word(t, offset - CACHE_MEM_OFFSET);
}

static void write_control(struct t2 *t, uint32_t value)
{
	uint32_t *ctrl = word(t, HDM + CTRL);
	uint64_t base = (uint64_t)*word(t, HDM + BASE_HIGH) << 32 | *word(t, HDM + BASE_LOW);
	uint64_t size = (uint64_t)*word(t, HDM + SIZE_HIGH) << 32 | *word(t, HDM + SIZE_LOW);

	*ctrl = value & CTRL_WRITABLE;
	if (!(value & COMMIT))
		return;
	/* All of the memory is behind one decoder, so that what it skips is nothing. */
	if (base == t->hdm_base && size && size <= t->hdm_size && !(value & (INTERLEAVE | HOST_ONLY)) &&
	    !*word(t, HDM + SKIP_LOW) && !*word(t, HDM + SKIP_HIGH))
		*ctrl |= COMMITTED;
	else
		*ctrl |= NOT_COMMITTED;
}

static void write_hdm(struct t2 *t, uint32_t at, uint32_t value)
{
	uint32_t ctrl = *word(t, HDM + CTRL);

	if ((ctrl & (LOCK_ON_COMMIT | COMMITTED)) == (LOCK_ON_COMMIT | COMMITTED))
		return;
	switch (at) {
	case GLOBAL:
		*word(t, HDM + at) = value & (POISON_ON_ERROR | ENABLE);
		break;
	case CTRL:
		write_control(t, value);
		break;
	case BASE_LOW: case SIZE_LOW: case SKIP_LOW:
		value &= 0xf0000000;
		/* fall through */
	case BASE_HIGH: case SIZE_HIGH: case SKIP_HIGH:
		/* What is committed does not move. */
		if (!(ctrl & COMMITTED))
			*word(t, HDM + at) = value;
		break;
	default:
		break;
	}
}

static void write_ras(struct t2 *t, uint32_t at, uint32_t value)
{
	switch (at) {
	case UNCOR_STATUS: case COR_STATUS:
		*word(t, RAS + at) &= ~value;
		break;
	case UNCOR_MASK: case UNCOR_SEVERITY:
		*word(t, RAS + at) = value & UNCOR_BITS;
		break;
	case COR_MASK:
		*word(t, RAS + at) = value & COR_BITS;
		break;
	default:
		break;
	}
}

void component_write(struct t2 *t, uint32_t offset, uint32_t value)
{
	uint32_t at = offset - CACHE_MEM_OFFSET;

	if (!within(offset, 4, CACHE_MEM_OFFSET, CACHE_MEM_SIZE))
		return;
	if (within(at, 4, RAS, HEADER_LOG_END))
		write_ras(t, at - RAS, value);
	else if (within(at, 4, HDM, SKIP_HIGH + 4))
		write_hdm(t, at - HDM, value);
}

void component_error(struct t2 *t, bool correctable)
{
	if (correctable) {
		*word(t, RAS + COR_STATUS) |= COR_MEM_ECC;
		return;
	}
	*word(t, RAS + UNCOR_STATUS) |= 1u << MEM_DATA_ECC;
	/* Which one was first, and a header that a test can recognize. */
	*word(t, RAS + ERROR_CONTROL) = MEM_DATA_ECC;
	for (uint32_t at = HEADER_LOG; at < HEADER_LOG_END; at += 4)
		*word(t, RAS + at) = T2_ID_VALUE;
}
