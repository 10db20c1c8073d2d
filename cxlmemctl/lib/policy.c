// SPDX-License-Identifier: LGPL-2.1
/*
 * The kernel's policy for new memory. Where it is "online", memory of the stock
 * drivers goes into a kernel zone, and within milliseconds holds what cannot be
 * moved. So there is another policy for the moment in which such memory is added.
 */
#include "private.h"

#define POLICY "sys/devices/system/memory/auto_online_blocks"

int policy_hold(struct transition *t, const char *wanted, struct policy *policy)
{
	int rc;

	policy->held = false;
	if (sysfs_read(t->ctx, policy->former, sizeof(policy->former), POLICY) <= 0 ||
	    !strcmp(policy->former, "offline") || !strcmp(policy->former, "online_movable"))
		return 0;
	event_text(t, CXLMEM_EVENT_STEP,
		   "the kernel's policy for new memory is '%s' and becomes '%s' for a moment",
		   policy->former, wanted);
	rc = sysfs_write(t->ctx, wanted, POLICY);
	if (rc)
		return fail(t->ctx, -rc, "the kernel's policy for new memory cannot be changed: %s",
			    strerror(-rc));
	policy->held = true;
	return 0;
}

void policy_release(struct transition *t, const struct policy *policy)
{
	if (policy->held && sysfs_write(t->ctx, policy->former, POLICY))
		event_text(t, CXLMEM_EVENT_WARNING,
			   "the kernel's policy for new memory could not be set back to '%s'",
			   policy->former);
}
