// SPDX-License-Identifier: GPL-2.0
/* cxlmemctl bind and unbind: giving memory to the cxlmem driver, and back. */
#include "tool.h"

int cmd_bind(struct tool *t, int argc, char **argv)
{
	struct cxlmem_device *dev = NULL;
	struct operation op;
	int rc, code;

	(void)argc;
	rc = operation_begin(&op, t);
	if (rc)
		return rc;
	rc = cxlmem_bind(t->ctx, argv[0], &op.options, &dev);
	code = operation_end(&op, rc, dev);
	return rc == -EINVAL ? EXIT_USAGE : code;
}

int cmd_unbind(struct tool *t, int argc, char **argv)
{
	struct cxlmem_device *dev = NULL;
	struct operation op;
	int rc;

	(void)argc;
	rc = operation_begin(&op, t);
	if (rc)
		return rc;
	rc = cxlmem_device_find(t->ctx, argv[0], &dev);
	if (!rc) {
		rc = cxlmem_device_unbind(dev, &op.options);
		/* After success there is no such device any more. */
		if (rc == CXLMEM_DONE) {
			if (!t->json && !t->value[OPT_DRY_RUN])
				printf("%s has been given back\n", cxlmem_device_get_name(dev));
			dev = NULL;
		}
	}
	return operation_end(&op, rc, dev);
}
