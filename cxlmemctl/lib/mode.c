// SPDX-License-Identifier: LGPL-2.1
/* Switching modes: each switch completes, or leaves things as they were. */
#include "private.h"

/* Those of mode "driver" aside, which can be set in any mode. */
static bool same_settings(const struct settings *a, const struct settings *b)
{
	return !strcmp(a->zone, b->zone) && a->node == b->node && a->memmap == b->memmap;
}

/* What a dry run can say about an evacuation. */
static void foretell_removal(struct transition *t)
{
	struct cxlmem_device *dev = t->dev;
	char used[16];
	int64_t bytes = cxlmem_device_get_used(dev);

	if (bytes > 0)
		event_text(t, CXLMEM_EVENT_STEP, "would move %s of data to other nodes",
			   cxlmem_format_size(bytes, used, sizeof(used)));
	event_text(t, CXLMEM_EVENT_STEP, "would take %s from mode %s to offline", dev->name,
		   dev->mode);
	foretell_evacuation(t);
}

int leave_mode(struct transition *t)
{
	int rc;

	if (!strcmp(t->dev->mode, "offline"))
		return CXLMEM_ALREADY;
	rc = check_room(t);
	if (rc)
		return rc;
	if (dry_run(t)) {
		foretell_removal(t);
		return CXLMEM_DONE;
	}
	if (device_is_lent(t->dev)) {
		rc = clear_of_processes(t);
		if (rc)
			return rc;
	}
	if (t->opt.flags & CXLMEM_PARTIAL && device_is_lent(t->dev)) {
		rc = blocks_offline(t);
		if (rc < 0 || rc == CXLMEM_PARTLY)
			return rc;
	}
	rc = t->dev->backend->remove(t);
	if (rc >= 0 && cxlmem_device_refresh(t->dev))
		return -ENODEV;
	return rc;
}

/*
 * Adds the memory with the settings in t->want and onlines it, from mode
 * "offline". If that fails the device may be in between. The mode is "system" or "cma".
 */
static int add(struct transition *t, const char *mode)
{
	int rc = t->dev->backend->configure(t);

	if (rc)
		return rc;
	rc = t->dev->backend->add(t, mode);
	if (rc)
		return rc;
	/* blocks_online() looks at the blocks itself. */
	rc = device_read_attributes(t->dev);
	if (rc)
		return rc;
	rc = blocks_online(t, t->want.zone);
	/* That somebody was faster with the blocks does not mean that we did nothing. */
	return rc == CXLMEM_ALREADY ? CXLMEM_DONE : rc;
}

/* To mode "driver" with the settings in t->want, from there or from mode "offline". */
static int hand_out(struct transition *t)
{
	int rc = t->dev->backend->configure(t);

	if (rc || !strcmp(t->dev->mode, "driver"))
		return rc;
	return t->dev->backend->hand_out(t);
}

/* Back to the mode of the beginning, with its settings. */
static int put_back(struct transition *t)
{
	if (!strcmp(t->was, "system") || !strcmp(t->was, "cma"))
		return add(t, t->was);
	if (!strcmp(t->was, "driver"))
		return hand_out(t);
	return t->dev->backend->configure(t);
}

/* After a failed add() or hand_out(): back to where it began. Returns @rc. */
static int undo(struct transition *t, int rc)
{
	char *reason = strdup(cxlmem_error(t->ctx));
	int undone = cxlmem_device_refresh(t->dev);

	t->undoing = true;
	t->opt.flags &= ~CXLMEM_PARTIAL;
	/* Who is in mode "driver" and has been all the time keeps what is there. */
	if (!undone && strcmp(t->dev->mode, "offline") &&
	    (strcmp(t->dev->mode, "driver") || strcmp(t->was, "driver")))
		undone = t->dev->backend->remove(t);
	if (undone >= 0)
		undone = cxlmem_device_refresh(t->dev);
	t->want = t->old;
	if (!undone)
		undone = put_back(t);
	t->undoing = false;

	if (undone < 0) {
		fail(t->ctx, -rc, "%s; putting things back failed, too: %s", reason ? reason : "",
		     cxlmem_error(t->ctx));
		rc = CXLMEM_PARTLY;
	} else {
		fail(t->ctx, -rc, "%s", reason ? reason : "");
	}
	free(reason);
	return rc;
}

static int no_node(struct transition *t)
{
	return fail(t->ctx, EDOM,
		    "%s has no NUMA node: the firmware names none; choose one without CPUs and memory, with --node N",
		    t->dev->name);
}

static void foretell_addition(struct transition *t)
{
	const struct cxlmem_device *dev = t->dev;
	char size[16];

	event_text(t, CXLMEM_EVENT_STEP,
		   "would add %s of %s to node %d and put it on line in zone %s, memory map on the %s",
		   cxlmem_format_size(dev->usable.size, size, sizeof(size)), dev->name,
		   t->want.node, t->want.zone, t->want.memmap ? "device" : "host");
}

/* A device that is too small to hold one whole memory block cannot be plugged in. */
static int check_size(struct transition *t)
{
	const struct cxlmem_device *dev = t->dev;
	char size[16], block[16];

	if (dev->usable.size)
		return 0;
	return fail(t->ctx, EINVAL,
		    "%s has %s at %#jx, which holds no whole memory block: blocks are %s and begin at multiples of that",
		    dev->name, cxlmem_format_size(dev->range.size, size, sizeof(size)),
		    (uintmax_t)dev->range.start,
		    cxlmem_format_size(block_size(t->ctx), block, sizeof(block)));
}

static int enter_system(struct transition *t)
{
	bool was_system = !strcmp(t->dev->mode, "system");
	bool leave = strcmp(t->dev->mode, "offline");
	int rc;

	if (t->want.node < 0)
		return no_node(t);
	rc = check_size(t);
	if (rc)
		return rc;
	if (!strcmp(t->want.zone, "kernel") && (!was_system || strcmp(t->old.zone, "kernel")))
		event_text(t, CXLMEM_EVENT_WARNING,
			   "in zone kernel the kernel may put memory of its own on %s, which then cannot be taken back until the next boot",
			   t->dev->name);

	if (was_system && same_settings(&t->old, &t->want)) {
		if (!dry_run(t))
			return blocks_online(t, t->want.zone);
		if (!t->dev->offline)
			return CXLMEM_ALREADY;
		foretell_addition(t);
		return CXLMEM_DONE;
	}
	if (leave) {
		event_text(t, CXLMEM_EVENT_STEP,
			   "%s is in mode %s (zone %s, node %d, memory map on the %s) and goes off line first to change that",
			   t->dev->name, t->dev->mode, t->old.zone, t->old.node,
			   t->old.memmap ? "device" : "host");
		rc = leave_mode(t);
		if (rc < 0 || rc == CXLMEM_PARTLY)
			return rc;
	}
	if (dry_run(t)) {
		foretell_addition(t);
		return CXLMEM_DONE;
	}
	rc = add(t, "system");
	return rc < 0 ? undo(t, rc) : rc;
}

/* Takes the limits that the caller asks for. 0 or -EINVAL. */
static int read_limits(struct transition *t)
{
	const char *policy = t->opt.policy;

	if (policy && strcmp(policy, "deny") && strcmp(policy, "evict"))
		return fail(t->ctx, EINVAL, "there is no policy '%s'; there are: deny, evict",
			    policy);
	if (t->opt.quota < CXLMEM_KEEP)
		return fail(t->ctx, EINVAL, "a quota cannot be less than 0");
	if (policy)
		strcpy(t->want.policy, policy);
	if (t->opt.quota != CXLMEM_KEEP)
		t->want.quota = t->opt.quota;
	if (t->opt.lend != CXLMEM_KEEP)
		t->want.lend = !!t->opt.lend;
	return 0;
}

static void foretell_handing_out(struct transition *t)
{
	char size[16], quota[32] = "no quota";

	if (t->want.quota > 0) {
		strcpy(quota, "a quota of ");
		cxlmem_format_size(t->want.quota, quota + strlen(quota), 16);
	}
	event_text(t, CXLMEM_EVENT_STEP,
		   "would hand out the memory of %s, up to %s, to programs that ask for it: policy %s, %s",
		   t->dev->name,
		   cxlmem_format_size(t->dev->range.size, size, sizeof(size)), t->want.policy,
		   quota);
}

static int enter_driver(struct transition *t)
{
	int rc = read_limits(t);

	if (rc)
		return rc;
	if (strcmp(t->was, "driver") || !same_settings(&t->old, &t->want)) {
		rc = leave_mode(t);
		if (rc < 0 || rc == CXLMEM_PARTLY)
			return rc;
	} else if (!strcmp(t->old.policy, t->want.policy) && t->old.quota == t->want.quota) {
		return CXLMEM_ALREADY;
	}
	if (dry_run(t)) {
		foretell_handing_out(t);
		return CXLMEM_DONE;
	}
	rc = hand_out(t);
	return rc < 0 ? undo(t, rc) : rc;
}

static void foretell_lending(struct transition *t)
{
	char size[16];

	event_text(t, CXLMEM_EVENT_STEP,
		   "would add %s of %s to node %d, of which contiguous pieces can be claimed; the system %s what is not claimed",
		   cxlmem_format_size(t->dev->usable.size, size, sizeof(size)), t->dev->name,
		   t->want.node, t->want.lend ? "may use" : "does not use");
}

/* As enter_system(), but that quota and lend can be set in the mode. */
static int enter_cma(struct transition *t)
{
	bool was_cma = !strcmp(t->was, "cma");
	int rc = read_limits(t);

	if (rc)
		return rc;
	if (t->want.node < 0)
		return no_node(t);
	rc = check_size(t);
	if (rc)
		return rc;
	if (!strcmp(t->want.zone, "kernel"))
		return fail(t->ctx, EINVAL,
			    "in zone kernel there is memory that cannot be moved for claims; mode cma is for zone movable, see --zone");
	if (was_cma && same_settings(&t->old, &t->want)) {
		if (t->old.quota == t->want.quota && t->old.lend == t->want.lend &&
		    !t->dev->offline)
			return CXLMEM_ALREADY;
		if (dry_run(t)) {
			foretell_lending(t);
			return CXLMEM_DONE;
		}
		rc = t->dev->backend->configure(t);
		if (rc)
			return rc;
		rc = blocks_online(t, t->want.zone);
		return rc == CXLMEM_ALREADY ? CXLMEM_DONE : rc;
	}
	rc = leave_mode(t);
	if (rc < 0 || rc == CXLMEM_PARTLY)
		return rc;
	if (dry_run(t)) {
		foretell_lending(t);
		return CXLMEM_DONE;
	}
	rc = add(t, "cma");
	return rc < 0 ? undo(t, rc) : rc;
}

int empty_driver(struct transition *t)
{
	int rc = leave_mode(t);

	if (rc < 0 || dry_run(t))
		return rc;
	rc = hand_out(t);
	return rc < 0 ? undo(t, rc) : rc;
}

/* A further mode is a row here and a function that enters it, from whatever mode it was. */
static const struct mode {
	const char *name;
	int (*enter)(struct transition *t);
} modes[] = {
	{ "offline",	leave_mode },
	{ "system",	enter_system },
	{ "driver",	enter_driver },
	{ "cma",	enter_cma },
};

bool mode_is_known(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(modes); i++)
		if (!strcmp(modes[i].name, name))
			return true;
	return false;
}

static const struct mode *find_mode(struct cxlmem_device *dev, const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(modes); i++)
		if (!strcmp(modes[i].name, name) && device_has_mode(dev, name))
			return &modes[i];
	fail(dev->ctx, EINVAL, "%s has no mode '%s'; it has: %s", dev->name, name, dev->modes);
	return NULL;
}

EXPORT int cxlmem_device_set_mode(struct cxlmem_device *dev, const char *name,
				  const struct cxlmem_options *options)
{
	const struct mode *mode = find_mode(dev, name);
	struct transition t;
	int rc;

	if (!mode)
		return -EINVAL;
	rc = transition_begin(&t, dev, options);
	if (rc)
		return rc;
	return transition_end(&t, mode->enter(&t));
}
