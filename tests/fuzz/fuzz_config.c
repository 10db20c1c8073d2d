// SPDX-License-Identifier: GPL-2.0
/*
 * cxlmem.conf: whatever is in it, it is refused with the line, or means what
 * can be done.
 *
 * runs: 15000
 * length: 1500
 */
#include "fuzz.h"

#define CONF "etc/cxlmem/cxlmem.conf"

static void check_error(const char *error, const uint8_t *data, size_t size)
{
	const char *start = "/" CONF ":";
	size_t i, line, lines = 1;

	for (i = 0; i + 1 < size; i++)
		lines += data[i] == '\n';
	must(!strncmp(error, start, strlen(start)), "%s", error);
	line = strtoul(error + strlen(start), NULL, 10);
	must(line >= 1 && line <= lines, "%s", error);
}

static void check_match(struct cxlmem_config *config, struct cxlmem_device *dev)
{
	struct cxlmem_options options = CXLMEM_OPTIONS_INIT;
	const char *mode;

	if (!cxlmem_config_match(config, dev, &mode, &options))
		return;
	must(mode_is_known(mode), "%s", mode);
	must(!options.zone || !strcmp(options.zone, "movable") || !strcmp(options.zone, "kernel"));
	must(options.node >= CXLMEM_KEEP && options.node < MAX_NODES);
	must(options.memmap >= CXLMEM_KEEP && options.memmap <= 1);
	must(!options.flags);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cxlmem_ctx *ctx = fuzz_context();
	static struct cxlmem_device *dev;
	struct cxlmem_config *config;
	int rc;

	if (!dev) {
		put_machine();
		put_device(0);
		dev = find(ctx, "cxlmem0");
	}
	put_bytes(CONF, data, size);
	rc = cxlmem_config_load(ctx, NULL, &config);
	must(!rc || rc == -EINVAL, "%s", cxlmem_error(ctx));
	if (rc) {
		check_error(cxlmem_error(ctx), data, size);
		return 0;
	}
	check_match(config, dev);
	cxlmem_config_free(config);
	return 0;
}
