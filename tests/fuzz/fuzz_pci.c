// SPDX-License-Identifier: GPL-2.0
/*
 * The configuration space of a PCI function: its list of capabilities, which a
 * broken device may have anything in.
 *
 * runs: 60000
 * length: 4096
 */
#include "fuzz.h"

#define FUNCTION "0000:0d:00.0"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cxlmem_ctx *ctx = fuzz_context();
	int rc;

	put_bytes("sys/bus/pci/devices/" FUNCTION "/config", data, size);
	rc = pci_has_memory(ctx, FUNCTION);
	/* The DVSEC does not fit into less. */
	must(rc == 0 || (rc == 1 && size >= 256 + 12), "%d", rc);
	return 0;
}
