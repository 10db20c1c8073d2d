// SPDX-License-Identifier: GPL-2.0
/*
 * Faults for the debug kernel to find, see planted.t: the one that the parameter
 * `fault` names happens while the module is loaded, which fails then.
 */
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

static char *fault = "";
module_param(fault, charp, 0);

static void *volatile thing;

static void use_after_free(void)
{
	char *p = kmalloc(64, GFP_KERNEL);

	thing = p;
	kfree(p);
	if (p)
		((volatile char *)thing)[8] = 1;
}

static void leak(void)
{
	thing = kmalloc(200, GFP_KERNEL);
	thing = NULL;
}

static int words[4];
static volatile int beyond = 5;

static void out_of_bounds(void)
{
	words[beyond & 7] = 1;
}

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);

static void lock_order(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);
	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

static DEFINE_SPINLOCK(spinning);

static void sleep_while_atomic(void)
{
	spin_lock(&spinning);
	might_sleep();
	spin_unlock(&spinning);
}

static void warning(void)
{
	WARN(1, "planted\n");
}

static const struct {
	const char *name;
	void (*happen)(void);
} faults[] = {
	{ "use-after-free", use_after_free },
	{ "leak", leak },
	{ "out-of-bounds", out_of_bounds },
	{ "lock-order", lock_order },
	{ "sleep-while-atomic", sleep_while_atomic },
	{ "warning", warning },
};

static int __init planted_init(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(faults); i++)
		if (!strcmp(fault, faults[i].name)) {
			faults[i].happen();
			return -ECANCELED;
		}
	return -EINVAL;
}
module_init(planted_init);

MODULE_DESCRIPTION("Faults for the debug kernel to find");
MODULE_LICENSE("GPL");
