// SPDX-License-Identifier: GPL-2.0
/*
 * Numbers, sizes, ranges, addresses and node lists, as people and the kernel
 * write them.
 *
 * runs: 60000
 * length: 64
 */
#include "fuzz.h"

static void number(const char *text)
{
	char again[32];
	uint64_t value, same;

	if (!parse_number(text, &value)) {
		snprintf(again, sizeof(again), "%#jx", (uintmax_t)value);
		must(!parse_number(again, &same) && same == value);
	}
}

static void size(const char *text)
{
	char again[8];
	uint64_t value, same;

	if (cxlmem_parse_size(text, &value))
		return;
	cxlmem_format_size(value, again, sizeof(again));
	must(strlen(again) < sizeof(again) - 1 || value);
	/* Written with a fraction it is one that is not read, and rounded down. */
	if (!strchr(again, '.'))
		must(!cxlmem_parse_size(again, &same) && same <= value, "%s", again);
}

static void pci(const char *text)
{
	char name[NAME_LEN], same[NAME_LEN];

	if (parse_pci(text, name, sizeof(name)))
		return;
	must(strlen(name) == strlen("0000:00:00.0"), "%s", name);
	must(!parse_pci(name, same, sizeof(same)) && !strcmp(name, same), "%s", name);
}

static void nodes(const char *text)
{
	struct nodes nodes;
	int node, nr = 0;

	if (parse_nodes(text, &nodes))
		return;
	for (node = -1; node <= MAX_NODES; node++)
		nr += nodes_has(&nodes, node);
	must(!*text == !nr);
}

/* Nothing is there to be bound; what can be read as a range only leads to a step foretold. */
static void range(const char *text)
{
	struct cxlmem_options options = CXLMEM_OPTIONS_INIT;
	struct cxlmem_ctx *ctx = fuzz_context();
	struct cxlmem_device *dev;
	int rc;

	options.flags = CXLMEM_DRY_RUN;
	rc = cxlmem_bind(ctx, text, &options, &dev);
	must(rc == 0 || rc == -EINVAL || rc == -ENODEV, "%d", rc);
	must(rc ? *cxlmem_error(ctx) != '\0' : !dev);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = to_string(data, len);

	number(text);
	size(text);
	pci(text);
	nodes(text);
	range(text);
	free(text);
	return 0;
}
