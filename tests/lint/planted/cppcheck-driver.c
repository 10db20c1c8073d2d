// SPDX-License-Identifier: GPL-2.0
static int planted(struct list_head *ids)
{
	int table[2] = { 0 };
	struct cxlmem_memory *mem;
	int i = 2;

	list_for_each_entry(mem, ids, orphan)
		table[i] = mem->id;
	return table[0];
}
