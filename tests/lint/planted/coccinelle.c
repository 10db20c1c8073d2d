// SPDX-License-Identifier: GPL-2.0
static void planted(struct cxlmem_memory *mem)
{
	if (mem)
		kfree(mem);
}
