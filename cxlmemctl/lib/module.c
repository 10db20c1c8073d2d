// SPDX-License-Identifier: LGPL-2.1
/* Loading kernel modules, through libkmod. */
#include <sys/utsname.h>

#include <libkmod.h>

#include "private.h"

#define KMOD_FUNCTIONS(X)			\
	X(kmod_new)				\
	X(kmod_unref)				\
	X(kmod_module_new_from_lookup)		\
	X(kmod_module_get_module)		\
	X(kmod_module_probe_insert_module)	\
	X(kmod_module_unref)			\
	X(kmod_module_unref_list)

LAZY_LIBRARY(kmod, KMOD_FUNCTIONS, "libkmod.so.2")

static int insert(struct cxlmem_ctx *ctx, const struct kmod *api, struct kmod_ctx *kmod,
		  const char *name)
{
	struct kmod_list *list = NULL;
	struct kmod_module *module;
	struct utsname kernel;
	int rc;

	rc = api->kmod_module_new_from_lookup(kmod, name, &list);
	if (rc < 0 || !list) {
		uname(&kernel);
		return fail(ctx, ENOENT,
			    "the kernel %s has no module %s; build and install cxlmem's driver for it",
			    kernel.release, name);
	}
	module = api->kmod_module_get_module(list);
	rc = api->kmod_module_probe_insert_module(module, KMOD_PROBE_APPLY_BLACKLIST, NULL, NULL,
						  NULL, NULL);
	api->kmod_module_unref(module);
	api->kmod_module_unref_list(list);
	if (rc == KMOD_PROBE_APPLY_BLACKLIST)
		return fail(ctx, EPERM, "the module %s is blacklisted in modprobe.d", name);
	if (rc < 0)
		return fail(ctx, -rc, "the module %s cannot be loaded: %s; see \"dmesg\"", name,
			    strerror(-rc));
	return 0;
}

int module_load(struct cxlmem_ctx *ctx, const char *name)
{
	struct kmod_ctx *kmod;
	struct kmod api;
	int rc;

	/* A module that is being loaded is there, too, but its driver comes last. */
	if (sysfs_exists(ctx, "sys/module/%s", name))
		return 0;
	rc = load_kmod(ctx, &api);
	if (rc)
		return rc;
	kmod = api.kmod_new(NULL, NULL);
	if (!kmod)
		return fail(ctx, ENOMEM, "libkmod does not work");
	rc = insert(ctx, &api, kmod, name);
	api.kmod_unref(kmod);
	return rc;
}
