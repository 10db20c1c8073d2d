// SPDX-License-Identifier: GPL-2.0
/* cxlmemctl auto: bring a device into the mode that the configuration names. */
#include "tool.h"

/* Applies what the configuration says, if it says something. As cxlmem_device_set_mode(). */
static int apply(struct tool *t, struct cxlmem_config *config, struct cxlmem_device *dev,
		 struct operation *op)
{
	const char *name = cxlmem_device_get_name(dev), *mode, *section;

	section = cxlmem_config_match(config, dev, &mode, &op->options);
	if (!t->json && section)
		printf("%s: section '%s' asks for mode %s\n", name, section, mode);
	else if (!t->json)
		printf("%s: no section of the configuration matches, it is left alone\n", name);
	return section ? cxlmem_device_set_mode(dev, mode, &op->options) : CXLMEM_ALREADY;
}

int cmd_auto(struct tool *t, int argc, char **argv)
{
	struct cxlmem_config *config = NULL;
	struct cxlmem_device *dev = NULL;
	struct operation op;
	int rc;

	(void)argc;
	rc = operation_begin(&op, t);
	if (rc)
		return rc;
	rc = cxlmem_config_load(t->ctx, t->value[OPT_CONFIG], &config);
	if (!rc)
		rc = cxlmem_device_find(t->ctx, argv[0], &dev);
	if (!rc)
		rc = apply(t, config, dev, &op);
	cxlmem_config_free(config);
	return operation_end(&op, rc, dev);
}
