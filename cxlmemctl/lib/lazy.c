// SPDX-License-Identifier: LGPL-2.1
/* Loading a library when it is first needed. */
#include <dlfcn.h>

#include "private.h"

int lazy_load(struct cxlmem_ctx *ctx, const char *soname, const char *const *names, size_t nr,
	      void *api, size_t api_size)
{
	/* Stays loaded: a program that needs it once will need it again. */
	void *library = dlopen(soname, RTLD_NOW | RTLD_LOCAL);
	size_t i;

	if (api_size != nr * sizeof(void *))
		return fail(ctx, EINVAL, "%s: table of functions does not fit", soname);
	for (i = 0; library && i < nr; i++) {
		void *function = dlsym(library, names[i]);

		if (!function)
			return fail(ctx, ENOSYS, "%s is too old: it has no %s()", soname, names[i]);
		memcpy((char *)api + i * sizeof(function), &function, sizeof(function));
	}
	if (!library)
		return fail(ctx, ENOENT, "this needs %s, which is not installed: %s", soname,
			    dlerror());
	return 0;
}
