/* SPDX-License-Identifier: GPL-2.0 */
/* What cxlmem_core asks of cxlmem_heap. */
#ifndef CXLMEM_HEAP_H
#define CXLMEM_HEAP_H

#include <linux/cxlmem.h>

int cxlmem_heap_offer(const char *name, struct cxlmem_device *cdev,
		      struct dma_buf *(*claim)(struct cxlmem_device *cdev,
					       struct cxlmem_buffer *buffer));
void cxlmem_heap_withdraw(const char *name);

#endif /* CXLMEM_HEAP_H */
