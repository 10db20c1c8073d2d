// SPDX-License-Identifier: GPL-2.0
/*
 * Addresses of processes: a walk of the driver's page table, and what is kept of
 * it. That the engine remembers translations is the point: it finds out drivers
 * that forget to invalidate.
 */
#include <string.h>

#include "model.h"

#define LEVELS		4
#define LEVEL_BITS	9
#define ADDRESS_BITS	48

static struct tlb_entry *slot(struct t2 *t, uint32_t pasid, uint64_t page)
{
	return &t->engine.tlb[spread(page, pasid) % TLB_ENTRIES];
}

/* An entry of a table, which must be in memory that is all right. */
static enum t2_result read_entry(struct t2 *t, uint64_t at, uint64_t *entry)
{
	enum t2_result rc;
	void *from;

	rc = memory_at(t, at, sizeof(*entry), false, &from);
	if (!rc)
		*entry = __atomic_load_n((uint64_t *)from, __ATOMIC_ACQUIRE);
	return rc;
}

static enum t2_result bad_table(struct t2 *t, uint64_t at)
{
	engine_error(t, T2_ERROR_TABLE, at);
	return T2_BAD_TABLE;
}

static enum t2_result walk(struct t2 *t, uint32_t pasid, uint64_t address, struct tlb_entry *found)
{
	uint64_t at = t->engine.pasid_table + (uint64_t)pasid * sizeof(uint64_t), entry;
	enum t2_result rc;

	if (pasid >= t->engine.pasids || address >> ADDRESS_BITS)
		return T2_FAULT;
	if (at % sizeof(entry))
		return bad_table(t, at);
	rc = read_entry(t, at, &entry);
	for (int level = LEVELS - 1; !rc; level--) {
		unsigned int shift = 12 + level * LEVEL_BITS;
		uint64_t span = 1ull << shift;

		if (!(entry & T2_PTE_PRESENT))
			return T2_FAULT;
		at = (entry & T2_PTE_ADDRESS) + (address >> shift) % (1 << LEVEL_BITS) * sizeof(entry);
		rc = read_entry(t, at, &entry);
		if (rc)
			return rc;
		if (!(entry & T2_PTE_PRESENT))
			return T2_FAULT;
		if (level && !(entry & T2_PTE_LEAF))
			continue;

		if (level > 1 || (entry & T2_PTE_ADDRESS) % span)
			return bad_table(t, at);
		found->writable = entry & T2_PTE_WRITE;
		found->target = (entry & T2_PTE_ADDRESS) + (address % span & ~(PAGE - 1ull));
		return T2_OK;
	}
	return rc;
}

enum t2_result translate(struct t2 *t, uint32_t pasid, uint64_t address, bool write,
			 uint64_t *physical)
{
	struct tlb_entry *e = slot(t, pasid, address / PAGE);
	bool known = e->valid && e->pasid == pasid && e->page == address / PAGE;

	/* Rights may have been widened since, which nobody has to tell. */
	if (!known || (write && !e->writable)) {
		struct tlb_entry found = { .valid = true, .pasid = pasid, .page = address / PAGE };
		enum t2_result rc = walk(t, pasid, address, &found);

		if (rc)
			return rc;
		*e = found;
		log_add(t, "walk", 0, pasid, address & ~(PAGE - 1ull), found.target, 0);
	}
	if (write && !e->writable)
		return T2_FAULT;
	*physical = e->target + address % PAGE;
	return T2_OK;
}

void invalidate(struct t2 *t, uint32_t pasid, uint64_t address, uint32_t pages)
{
	for (unsigned int i = 0; i < TLB_ENTRIES; i++) {
		struct tlb_entry *e = &t->engine.tlb[i];

		if (e->pasid == pasid &&
		    (pages == T2_INV_ALL || e->page - address / PAGE < pages))
			e->valid = false;
	}
	log_add(t, "invalidate", 0, pasid, address, 0, pages);
}
