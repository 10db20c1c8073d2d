// SPDX-License-Identifier: GPL-2.0
/*
 * A Data Object Exchange mailbox, from which the host reads the CDAT: how far and
 * how wide the memory is. (PCIe 6.0: 6.30, 7.9.24 DOE. CXL 3.1: 8.1.11 table
 * access. CDAT 1.03.)
 */
#include <string.h>

#include "model.h"

#define DOE_CONTROL	0x08
#define   ABORT		(1u << 0)
#define   GO		(1u << 31)
#define DOE_STATUS	0x0c
#define   ERROR		(1u << 2)
#define   READY		(1u << 31)
#define DOE_WRITE	0x10
#define DOE_READ	0x14

/* Vendor and type of the objects that there are. */
#define DISCOVERY	0x00000001u
#define TABLE_ACCESS	0x00021e98u
#define LAST_ENTRY	0xffffu

#define READ_LATENCY_NS	400
#define BANDWIDTH_MBS	30000

struct cdat_header {
	uint32_t length;
	uint8_t revision, checksum, reserved[6];
	uint32_t sequence;
};

/* A range of device memory that has one set of attributes. */
struct dsmas {
	uint8_t type, reserved1;
	uint16_t length;
	uint8_t handle, flags;
	uint16_t reserved2;
	uint64_t base, size;
};

/* Latency or bandwidth of such a range. */
struct dslbis {
	uint8_t type, reserved1;
	uint16_t length;
	uint8_t handle, flags, data_type, reserved2;
	uint64_t unit;
	uint16_t entry[3], reserved3;
};

static struct dslbis figure(uint8_t data_type, uint64_t unit, uint16_t value)
{
	return (struct dslbis) {
		.type = 1, .length = sizeof(struct dslbis), .data_type = data_type,
		.unit = unit, .entry = { value },
	};
}

/* Writes structure `entry` of the table (0: the header) to `to`. Returns its size. */
static size_t cdat_entry(struct t2 *t, unsigned int entry, void *to)
{
	struct dsmas range = { .length = sizeof(range), .size = t->hdm_size };
	struct dslbis latency = figure(0, 1000 /* ps */, READ_LATENCY_NS);
	struct dslbis bandwidth = figure(3, 1 /* MB/s */, BANDWIDTH_MBS);
	struct cdat_header header = {
		.length = sizeof(header) + sizeof(range) + sizeof(latency) + sizeof(bandwidth),
		.revision = 1,
	};
	const struct { const void *at; size_t size; } table[] = {
		{ &header, sizeof(header) },
		{ &range, sizeof(range) },
		{ &latency, sizeof(latency) },
		{ &bandwidth, sizeof(bandwidth) },
	};
	uint8_t bytes[64], sum = 0;

	/* All bytes of the table add up to 0. */
	for (unsigned int i = 0; i < ARRAY_SIZE(table); i++) {
		memcpy(bytes, table[i].at, table[i].size);
		for (size_t n = 0; n < table[i].size; n++)
			sum += bytes[n];
	}
	header.checksum = -sum;
	if (entry >= ARRAY_SIZE(table))
		return 0;
	memcpy(to, table[entry].at, table[entry].size);
	return table[entry].size;
}

/* Makes the response to the request. False: there is none. */
static bool respond(struct doe *doe, struct t2 *t)
{
	uint32_t index = doe->request[2];
	unsigned int entry = index >> 16;	/* of a table */
	size_t size;

	/* Header: what kind, and the length in words, both words of it included. */
	if (doe->written != 3 || doe->request[1] != doe->written)
		return false;
	doe->response[0] = doe->request[0];
	switch (doe->request[0]) {
	case DISCOVERY:
		/* Vendor, type, and the index of the next one, or 0. */
		switch (index & 0xff) {
		case 0: doe->response[2] = DISCOVERY | 1u << 24; break;
		case 1: doe->response[2] = TABLE_ACCESS; break;
		default: doe->response[2] = 0xffff; break;
		}
		doe->length = 3;
		break;
	case TABLE_ACCESS:
		/* Read an entry of the CDAT: both are number 0. */
		if (index & 0xffff)
			return false;
		size = cdat_entry(t, entry, &doe->response[3]);
		if (!size)
			return false;
		doe->response[2] = (entry == 3 ? LAST_ENTRY : entry + 1) << 16;
		doe->length = 3 + size / 4;
		break;
	default:
		return false;
	}
	doe->response[1] = doe->length;
	return true;
}

void doe_reset(struct t2 *t)
{
	memset(&t->doe, 0, sizeof(t->doe));
}

uint32_t doe_read(struct t2 *t, uint32_t reg)
{
	struct doe *doe = &t->doe;

	switch (reg) {
	case DOE_STATUS:
		return (doe->error ? ERROR : 0) | (doe->ready ? READY : 0);
	case DOE_READ:
		return doe->ready ? doe->response[doe->read] : 0;
	default:
		return 0;
	}
}

void doe_write(struct t2 *t, uint32_t reg, uint32_t value)
{
	struct doe *doe = &t->doe;

	switch (reg) {
	case DOE_CONTROL:
		if (value & ABORT) {
			doe_reset(t);
		} else if (value & GO && !doe->ready) {
			/* What it does not understand is dropped without a word, by the rules. */
			doe->ready = doe->written <= ARRAY_SIZE(doe->request) && respond(doe, t);
			doe->written = doe->read = 0;
		}
		break;
	case DOE_WRITE:
		if (doe->ready)
			break;
		if (doe->written < ARRAY_SIZE(doe->request))
			doe->request[doe->written] = value;
		if (doe->written <= ARRAY_SIZE(doe->request))
			doe->written++;
		break;
	case DOE_READ:
		/* Any write says that the word has been taken. */
		if (doe->ready && ++doe->read == doe->length)
			doe->ready = false;
		break;
	default:
		break;
	}
}
