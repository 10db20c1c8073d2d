// SPDX-License-Identifier: GPL-2.0
/* cxlmemctl mode, online, offline, evacuate: what is done with a device's memory. */
#include "tool.h"

/* Whether the device has a mode, so that a typo is a matter of usage and not a failure. */
static bool has_mode(struct cxlmem_device *dev, const char *mode)
{
	const char *modes = cxlmem_device_get_modes(dev);
	size_t len = strlen(mode);

	while (*modes) {
		size_t word = strcspn(modes, " ");

		if (word == len && !strncmp(modes, mode, len))
			return true;
		modes += word;
		modes += strspn(modes, " ");
	}
	return false;
}

static int set_mode(struct tool *t, const char *name, const char *mode)
{
	struct cxlmem_device *dev = NULL;
	bool driver = !strcmp(mode, "driver"), cma = !strcmp(mode, "cma");
	struct operation op;
	int rc;

	if (!driver && t->value[OPT_POLICY])
		return wrong_usage(t, "--policy is for mode driver");
	if (!driver && !cma && t->value[OPT_QUOTA])
		return wrong_usage(t, "--quota is for the modes driver and cma");
	if (!cma && t->value[OPT_LEND])
		return wrong_usage(t, "--lend is for mode cma");
	rc = operation_begin(&op, t);
	if (rc)
		return rc;
	rc = cxlmem_device_find(t->ctx, name, &dev);
	if (!rc && !has_mode(dev, mode)) {
		operation_drop(&op);
		return wrong_usage(t, "%s has no mode '%s'; it has: %s",
				   cxlmem_device_get_name(dev), mode,
				   cxlmem_device_get_modes(dev));
	}
	op.dev = dev;
	if (!rc)
		rc = cxlmem_device_set_mode(dev, mode, &op.options);
	return operation_end(&op, rc, dev);
}

static int print_mode(struct tool *t, const char *name)
{
	struct cxlmem_device *dev;
	struct json_object *o;

	if (cxlmem_device_find(t->ctx, name, &dev))
		return library_failed(t);
	if (!t->json) {
		puts(cxlmem_device_get_mode(dev));
		return EXIT_DONE;
	}
	o = json_object_new_object();
	json_object_object_add(o, "schema", json_object_new_int(JSON_SCHEMA));
	json_object_object_add(o, "device", json_device(dev));
	print_json(o);
	return EXIT_DONE;
}

int cmd_mode(struct tool *t, int argc, char **argv)
{
	return argc == 1 ? print_mode(t, argv[0]) : set_mode(t, argv[0], argv[1]);
}

int cmd_online(struct tool *t, int argc, char **argv)
{
	(void)argc;
	return set_mode(t, argv[0], "system");
}

int cmd_offline(struct tool *t, int argc, char **argv)
{
	(void)argc;
	return set_mode(t, argv[0], "offline");
}

int cmd_evacuate(struct tool *t, int argc, char **argv)
{
	struct cxlmem_device *dev = NULL;
	struct operation op;
	int rc;

	(void)argc;
	rc = operation_begin(&op, t);
	if (rc)
		return rc;
	rc = cxlmem_device_find(t->ctx, argv[0], &dev);
	op.dev = dev;
	if (!rc)
		rc = cxlmem_device_evacuate(dev, &op.options);
	return operation_end(&op, rc, dev);
}
