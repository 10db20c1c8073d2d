// SPDX-License-Identifier: LGPL-2.1
/* Giving devices to the cxlmem driver, and back. */
#include <unistd.h>

#include "private.h"

/* "START+SIZE" */
static int parse_range(struct cxlmem_ctx *ctx, const char *text, uint64_t *start, uint64_t *size)
{
	const char *plus = strchr(text, '+');
	char first[32];

	if (!plus || (size_t)(plus - text) >= sizeof(first))
		return fail(ctx, EINVAL,
			    "'%s' is neither a PCI address (0000:0d:00.0), nor a range (0x100000000+1G), nor a dax device",
			    text);
	snprintf(first, sizeof(first), "%.*s", (int)(plus - text), text);
	if (cxlmem_parse_size(first, start))
		return fail(ctx, EINVAL, "'%s' in '%s' is not an address", first, text);
	if (cxlmem_parse_size(plus + 1, size) || !*size)
		return fail(ctx, EINVAL, "'%s' in '%s' is not a size; write 512M or 1G", plus + 1,
			    text);
	if (*size > UINT64_MAX - *start)
		return fail(ctx, EINVAL, "the range '%s' ends beyond all addresses", text);
	return 0;
}

static int bind_range(struct transition *t, const char *what)
{
	struct cxlmem_device *dax;
	uint64_t start, size;
	int rc;

	cxlmem_device_foreach(t->ctx, dax)
		if (dax->backend == &backend_dax && !strcmp(dax->name, what))
			return range_bind_dax(t, dax);
	rc = parse_range(t->ctx, what, &start, &size);
	/* Both are set: fail() never returns 0. NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage) */
	return rc ? rc : range_bind(t, start, size, t->opt.node);
}

EXPORT int cxlmem_bind(struct cxlmem_ctx *ctx, const char *what,
		       const struct cxlmem_options *options, struct cxlmem_device **dev)
{
	struct transition t = { .ctx = ctx };
	char pci[NAME_LEN];
	int rc;

	options_copy(&t.opt, options);
	kmsg_open(ctx, &t.kmsg);
	if (!parse_pci(what, pci, sizeof(pci)))
		rc = pci_bind(&t, pci);
	else
		rc = bind_range(&t, what);
	kmsg_close(&t.kmsg);
	if (rc >= 0 && dev)
		*dev = t.dev;
	return rc;
}

static const struct {
	const char *driver;
	int (*unbind)(struct transition *t);
} binders[] = {
	{ "cxlmem_pci",		pci_unbind },
	{ "cxlmem_range",	range_unbind },
};

EXPORT int cxlmem_device_unbind(struct cxlmem_device *dev, const struct cxlmem_options *options)
{
	struct transition t;
	size_t i;
	int rc;

	for (i = 0; i < ARRAY_SIZE(binders); i++)
		if (!strcmp(dev->driver, binders[i].driver))
			break;
	if (i == ARRAY_SIZE(binders))
		return fail(dev->ctx, EOPNOTSUPP,
			    "%s was not made by \"cxlmemctl bind\": it belongs to the driver %s",
			    dev->name, dev->driver[0] ? dev->driver : "(none)");
	rc = transition_begin(&t, dev, options);
	if (rc)
		return rc;
	rc = leave_mode(&t);
	if (rc == CXLMEM_DONE || rc == CXLMEM_ALREADY) {
		if (dry_run(&t)) {
			event_text(&t, CXLMEM_EVENT_STEP, "would take %s from the driver %s",
				   dev->parent, dev->driver);
			rc = CXLMEM_DONE;
		} else {
			rc = binders[i].unbind(&t);
		}
	}
	return transition_end(&t, rc);
}
