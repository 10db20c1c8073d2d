// SPDX-License-Identifier: LGPL-2.1
/* What on this machine will get in the way. One function per check. */
#include <stdarg.h>
#include <unistd.h>

#include "private.h"

#define MEMORY "sys/devices/system/memory"

struct doctor {
	struct cxlmem_ctx *ctx;
	const char *check;
	void (*finding)(const struct cxlmem_finding *finding, void *data);
	void *data;
	int problems;
};

static void PRINTF(4, 5) report(struct doctor *d, enum cxlmem_severity severity, const char *fix,
				const char *fmt, ...)
{
	struct cxlmem_finding finding = { severity, d->check, NULL, fix };
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	finding.text = text;
	if (severity == CXLMEM_PROBLEM)
		d->problems++;
	d->finding(&finding, d->data);
}

static void check_rights(struct doctor *d)
{
	if (d->ctx->fake || !geteuid())
		report(d, CXLMEM_OK, NULL, "running as root: everything can be seen");
	else
		report(d, CXLMEM_NOTE, "run \"cxlmemctl doctor\" as root",
		       "not running as root: some of this machine cannot be seen");
}

static int first_block(const char *name, void *data)
{
	uint64_t number;

	if (parse_suffix(name, "memory", &number))
		return 0;
	snprintf(data, NAME_LEN, "%s", name);
	return 1;
}

static void check_kernel(struct doctor *d)
{
	static const char fix[] = "use a kernel with CONFIG_MEMORY_HOTPLUG and CONFIG_MEMORY_HOTREMOVE";
	char block[NAME_LEN], size[16];
	uint64_t removable;

	if (!block_size(d->ctx)) {
		report(d, CXLMEM_PROBLEM, fix, "the kernel cannot plug memory in at run time");
		return;
	}
	/* Since Linux 5.9 this attribute tells no more than whether the kernel has hot-remove. */
	if (sysfs_each(d->ctx, MEMORY, first_block, block) == 1 &&
	    !sysfs_read_number(d->ctx, &removable, MEMORY "/%s/removable", block) && !removable) {
		report(d, CXLMEM_PROBLEM, fix, "the kernel cannot take memory out at run time");
		return;
	}
	report(d, CXLMEM_OK, NULL,
	       "the kernel plugs memory in and out at run time, in blocks of %s",
	       cxlmem_format_size(block_size(d->ctx), size, sizeof(size)));
}

static const char driver_module[] = "sys/module/cxlmem_core";

static void check_driver(struct doctor *d)
{
	char version[ATTR_LEN];

	if (!sysfs_exists(d->ctx, "%s", driver_module))
		report(d, CXLMEM_NOTE, "\"cxlmemctl bind\" loads it when it is needed",
		       "the driver cxlmem_core is not loaded");
	else if (sysfs_read(d->ctx, version, sizeof(version), "%s/version", driver_module) > 0 &&
		 strcmp(version, VERSION))
		report(d, CXLMEM_PROBLEM, "install driver and tools of one version",
		       "the driver is of version %s, the tools of version " VERSION, version);
	else
		report(d, CXLMEM_OK, NULL, "the driver cxlmem_core is loaded");
}

static void check_auto_online(struct doctor *d)
{
	char policy[ATTR_LEN];

	if (sysfs_read(d->ctx, policy, sizeof(policy), MEMORY "/auto_online_blocks") <= 0)
		return;
	if (!strcmp(policy, "offline") || !strcmp(policy, "online_movable"))
		report(d, CXLMEM_OK, NULL, "the kernel's policy for new memory is '%s'", policy);
	else
		report(d, CXLMEM_NOTE,
		       "echo online_movable > /sys/devices/system/memory/auto_online_blocks",
		       "the kernel's policy for new memory is '%s': it puts memory of stock dax devices into a kernel zone, from which it cannot be taken back; memory of cxlmem's devices is guarded against that",
		       policy);
}

struct rules {
	struct doctor *doctor;
	const char *dir;
	int found;
};

/* A rule that acts on memory blocks names their subsystem and the state it writes. */
static bool onlines_memory(char *text)
{
	char *line, *save = NULL;

	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (line[strspn(line, " \t")] != '#' && strstr(line, "SUBSYSTEM==\"memory\"") &&
		    strstr(line, "online"))
			return true;
	}
	return false;
}

static int check_rule_file(const char *name, void *data)
{
	struct rules *rules = data;
	struct doctor *d = rules->doctor;
	size_t len = strlen(name);
	char path[PATH_MAX], *text;

	if (len < 6 || strcmp(name + len - 6, ".rules"))
		return 0;
	snprintf(path, sizeof(path), "%s/%s", rules->dir, name);
	text = sysfs_read_all(d->ctx, path, 1 << 20);
	if (text && onlines_memory(text)) {
		rules->found++;
		report(d, CXLMEM_NOTE, "remove the rule, or let it write online_movable",
		       "the udev rules in /%s put new memory on line: that races with tools for stock dax devices; memory of cxlmem's devices is guarded against it",
		       path);
	}
	free(text);
	return 0;
}

static void check_udev(struct doctor *d)
{
	static const char *const dirs[] = {
		"etc/udev/rules.d", "run/udev/rules.d", "usr/lib/udev/rules.d",
	};
	struct rules rules = { .doctor = d };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(dirs); i++) {
		rules.dir = dirs[i];
		sysfs_each(d->ctx, dirs[i], check_rule_file, &rules);
	}
	if (!rules.found)
		report(d, CXLMEM_OK, NULL, "no udev rule puts memory on line");
}

/* Sums the pages of zone Movable and of the others, in bytes. */
static bool read_zones(struct cxlmem_ctx *ctx, uint64_t *movable, uint64_t *kernel)
{
	char *text = sysfs_read_all(ctx, "proc/zoneinfo", 1 << 22);
	char *line, *save = NULL, zone[NAME_LEN] = "";
	uint64_t page = sysconf(_SC_PAGESIZE);
	unsigned long long pages;

	*movable = *kernel = 0;
	if (!text)
		return false;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (sscanf(line, "Node %*d, zone %63s", zone) == 1)
			continue;
		if (sscanf(line, " managed %llu", &pages) == 1 && pages < UINT64_MAX / page)
			*(strcmp(zone, "Movable") ? kernel : movable) += pages * page;
	}
	free(text);
	return *kernel != 0;
}

/* Up to three or four times is fine, much more leaves the kernel without memory for itself. */
#define RATIO_FINE	4
#define RATIO_BAD	16

static void check_ratio(struct doctor *d)
{
	uint64_t movable, kernel, more = 0, ratio;
	char text[2][16];
	struct cxlmem_device *dev;

	if (!read_zones(d->ctx, &movable, &kernel))
		return;
	cxlmem_device_foreach(d->ctx, dev)
		if (!strcmp(dev->zone, "movable") && dev->usable.size > dev->online &&
		    dev->backend == &backend_cxlmem)
			more += dev->usable.size - dev->online;
	ratio = (movable + more) / kernel;
	cxlmem_format_size(movable + more, text[0], sizeof(text[0]));
	cxlmem_format_size(kernel, text[1], sizeof(text[1]));
	if (ratio < RATIO_FINE)
		report(d, CXLMEM_OK, NULL,
		       "with all devices on line there is %s of movable memory to %s for the kernel",
		       text[0], text[1]);
	else
		report(d, ratio < RATIO_BAD ? CXLMEM_NOTE : CXLMEM_PROBLEM,
		       "put less of it on line, or keep the memory map on the device (memmap)",
		       "with all devices on line there is %s of movable memory to %s for the kernel, which may run short of memory for itself",
		       text[0], text[1]);
}

static void check_memmap(struct doctor *d)
{
	struct cxlmem_device *dev;
	char state[ATTR_LEN], text[16];
	uint64_t size = 0;

	if (sysfs_read(d->ctx, state, sizeof(state),
		       "sys/module/memory_hotplug/parameters/memmap_on_memory") <= 0)
		return;
	cxlmem_device_foreach(d->ctx, dev)
		size += dev->usable.size;
	/* 64 bytes for each page of 4 KiB */
	cxlmem_format_size(size / 64, text, sizeof(text));
	if (strcmp(state, "N"))
		report(d, CXLMEM_OK, NULL, "the memory map can be kept on the devices");
	else if (size)
		report(d, CXLMEM_NOTE,
		       "boot with memory_hotplug.memmap_on_memory=1 to keep it on the devices",
		       "the memory map of the devices, %s, takes the host's memory", text);
	else
		report(d, CXLMEM_OK, NULL,
		       "the memory map of devices will take host memory (memmap_on_memory is off)");
}

static void check_device(struct doctor *d, struct cxlmem_device *dev)
{
	char fix[ATTR_LEN], size[16], usable[16], error[2 * ATTR_LEN];
	int before = d->problems;

	if (dev->bad)
		report(d, CXLMEM_PROBLEM, "install driver and tools of one version",
		       "%s: the attribute %s makes no sense", dev->name, dev->bad);
	if (sysfs_read(d->ctx, error, sizeof(error), "%s/device_error", dev->dir) > 0)
		report(d, strstr(error, "recovered") ? CXLMEM_NOTE : CXLMEM_PROBLEM,
		       "see the kernel's log; what makes it forgotten is to put the device to use again",
		       "%s: %s", dev->name, error);
	if (dev->node < 0) {
		snprintf(fix, sizeof(fix), "cxlmemctl online %s --node N, with a node of its own",
			 dev->name);
		report(d, CXLMEM_PROBLEM, fix, "%s: the firmware names no NUMA node for it",
		       dev->name);
	}
	cxlmem_format_size(dev->range.size, size, sizeof(size));
	cxlmem_format_size(dev->usable.size, usable, sizeof(usable));
	if (dev->range.size && !dev->usable.size && dev->range.start)
		report(d, CXLMEM_PROBLEM, "let the firmware place it at a multiple of the block size",
		       "%s: its %s hold no whole memory block", dev->name, size);
	else if (dev->usable.size && dev->usable.size < dev->range.size)
		report(d, CXLMEM_NOTE, "let the firmware place it at a multiple of the block size",
		       "%s: only %s of %s are whole memory blocks and can be used", dev->name,
		       usable, size);
	if (!strcmp(cxlmem_device_get_state(dev), "partly")) {
		snprintf(fix, sizeof(fix), "cxlmemctl online %s", dev->name);
		report(d, CXLMEM_NOTE, fix, "%s: only a part of it is on line", dev->name);
	}
	if (!strcmp(dev->mode, "system") && !strcmp(dev->zone, "kernel"))
		report(d, CXLMEM_NOTE, "nothing until it is off line again",
		       "%s: it is in a kernel zone and may become impossible to take back",
		       dev->name);
	if (d->problems == before)
		report(d, CXLMEM_OK, NULL, "%s is in mode %s", dev->name, dev->mode);
}

static void check_dax(struct doctor *d, struct cxlmem_device *dev)
{
	char fix[ATTR_LEN];

	if (!strncmp(dev->parent, "hmem", 4))
		snprintf(fix, sizeof(fix), "cxlmemctl offline %s, then cxlmemctl bind %s",
			 dev->name, dev->name);
	else
		snprintf(fix, sizeof(fix),
			 "destroy its CXL region with \"cxl destroy-region\", then cxlmemctl bind its PCI function");
	report(d, CXLMEM_NOTE, fix,
	       "%s is held by the kernel's own driver %s: its zone is not guarded", dev->name,
	       dev->driver[0] ? dev->driver : "(none)");
}

static void check_devices(struct doctor *d)
{
	struct cxlmem_device *dev;

	cxlmem_device_foreach(d->ctx, dev) {
		if (dev->backend == &backend_cxlmem)
			check_device(d, dev);
		else
			check_dax(d, dev);
	}
}

static int check_function(const char *name, void *data)
{
	char driver[NAME_LEN], fix[ATTR_LEN];
	struct doctor *d = data;

	if (strlen(name) >= NAME_LEN || pci_has_memory(d->ctx, name) != 1)
		return 0;
	if (sysfs_link(d->ctx, driver, sizeof(driver), "sys/bus/pci/devices/%s/driver", name))
		strcpy(driver, "none");
	if (!strcmp(driver, "cxlmem_pci"))
		return 0;
	snprintf(fix, sizeof(fix), "cxlmemctl bind %s gives it to cxlmem", name);
	report(d, CXLMEM_NOTE, fix, "the PCI function %s has CXL memory; its driver is %s", name,
	       driver);
	return 0;
}

static void check_functions(struct doctor *d)
{
	sysfs_each(d->ctx, "sys/bus/pci/devices", check_function, d);
}

static const struct {
	const char *name;
	void (*check)(struct doctor *d);
} checks[] = {
	{ "rights",		check_rights },
	{ "kernel",		check_kernel },
	{ "driver",		check_driver },
	{ "auto-online",	check_auto_online },
	{ "udev",		check_udev },
	{ "ratio",		check_ratio },
	{ "memmap",		check_memmap },
	{ "device",		check_devices },
	{ "function",		check_functions },
};

EXPORT int cxlmem_doctor(struct cxlmem_ctx *ctx,
			 void (*finding)(const struct cxlmem_finding *finding, void *data),
			 void *data)
{
	struct doctor d = { .ctx = ctx, .finding = finding, .data = data };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(checks); i++) {
		d.check = checks[i].name;
		checks[i].check(&d);
	}
	return d.problems;
}
