// SPDX-License-Identifier: GPL-2.0
/* Giving functions and ranges to the driver, and back. */
#include <fcntl.h>
#include <unistd.h>

#include "tree.h"

#define PCI "sys/bus/pci/devices/0000:0d:00.0"

static char kernel_line[256];
static unsigned int steps;

static int on_event(const struct cxlmem_event *event, void *data)
{
	(void)data;
	if (event->type == CXLMEM_EVENT_KERNEL)
		snprintf(kernel_line, sizeof(kernel_line), "%s", event->text);
	if (event->type == CXLMEM_EVENT_STEP)
		steps++;
	return 0;
}

static const struct cxlmem_options options = {
	.size = sizeof(options),
	.node = CXLMEM_KEEP,
	.memmap = CXLMEM_KEEP,
	.event = on_event,
};

static void put_config(const unsigned char *config, size_t size)
{
	char path[PATH_MAX];
	int fd;

	put(PCI "/config", "%s", "");
	snprintf(path, sizeof(path), "%s/" PCI "/config", tree_path());
	fd = open(path, O_WRONLY);
	if (fd < 0)
		fail_msg("%s: %s", path, strerror(errno));
	assert_int_equal(write(fd, config, size), size);
	close(fd);
}

/* A configuration space with AER, then the CXL device DVSEC with these capabilities. */
static void put_cxl_config(unsigned int capability)
{
	unsigned char config[4096] = { 0x86, 0x80 };

	memcpy(config + 0x100, "\x01\x00\x01\x20", 4);	/* AER, next at 0x200 */
	memcpy(config + 0x200, "\x23\x00\x01\x00", 4);	/* DVSEC, the last */
	memcpy(config + 0x204, "\x98\x1e\x00\x03", 4);	/* vendor CXL */
	config[0x20a] = capability;
	put_config(config, sizeof(config));
}

/* A function that cxl_pci has. While cxlmem_pci has it, there is its device, see kernel.c. */
static void put_function(void)
{
	char device[PATH_MAX], none[PATH_MAX];

	put_machine();
	put_device(0);
	put("fake/function", "%s", "");
	snprintf(device, sizeof(device), "%s/sys/class/cxlmem/cxlmem0", tree_path());
	snprintf(none, sizeof(none), "%s/fake/no-device", tree_path());
	assert_int_equal(rename(device, none), 0);
	put("sys/module/cxlmem_pci/x", "%s", "");
	put(PCI "/driver_override", "%s", "");
	put("sys/bus/pci/drivers/cxl_pci/unbind", "%s", "");
	put_link(PCI "/driver", "../../drivers/cxl_pci");
	put_cxl_config(0x1e);
	kernel_line[0] = '\0';
	steps = 0;
}

static const char *driver(void)
{
	static char target[PATH_MAX];
	char path[PATH_MAX];
	ssize_t len;

	snprintf(path, sizeof(path), "%s/" PCI "/driver", tree_path());
	len = readlink(path, target, sizeof(target) - 1);
	target[len < 0 ? 0 : len] = '\0';
	return strrchr(target, '/') ? strrchr(target, '/') + 1 : target;
}

static void function(void **state)
{
	struct cxlmem_ctx *ctx = tree_context();
	struct cxlmem_device *dev;

	(void)state;
	put_function();
	assert_int_equal(cxlmem_bind(ctx, "0d:00.0", &options, &dev), CXLMEM_DONE);
	assert_string_equal(cxlmem_device_get_name(dev), "cxlmem0");
	assert_string_equal(driver(), "cxlmem_pci");
	assert_string_equal(get(PCI "/driver_override"), "cxlmem_pci");
	assert_int_equal(steps, 1);
	assert_int_equal(cxlmem_bind(ctx, "0d:00.0", &options, &dev), CXLMEM_ALREADY);

	assert_int_equal(cxlmem_device_unbind(dev, &options), CXLMEM_DONE);
	assert_string_equal(get(PCI "/driver_override"), "");
	assert_string_equal(driver(), "cxl_pci");
	cxlmem_unref(ctx);
}

static void function_with_node(void **state)
{
	struct cxlmem_options with_node = options;
	struct cxlmem_ctx *ctx = tree_context();
	struct cxlmem_device *dev;

	(void)state;
	put_function();
	with_node.node = 3;
	assert_int_equal(cxlmem_bind(ctx, "0d:00.0", &with_node, &dev), CXLMEM_DONE);
	assert_int_equal(cxlmem_device_get_node(dev), 3);
	with_node.node = 0;
	put("fake/node.error", "1 node 0 has CPUs");
	/* Bound already, it stays so; newly bound, it goes back. */
	assert_int_equal(cxlmem_bind(ctx, "0d:00.0", &with_node, &dev), -EPERM);
	assert_contains(cxlmem_error(ctx), "cannot set node to 0: node 0 has CPUs");
	assert_string_equal(driver(), "cxlmem_pci");
	assert_int_equal(cxlmem_device_unbind(dev, &options), CXLMEM_DONE);
	assert_int_equal(cxlmem_bind(ctx, "0d:00.0", &with_node, &dev), -EPERM);
	assert_string_equal(driver(), "cxl_pci");
	cxlmem_unref(ctx);
}

/* A vendor's driver that hands its memory out by cxlmem itself. */
static void function_of_vendor(void **state)
{
	struct cxlmem_ctx *ctx;
	struct cxlmem_device *dev;

	(void)state;
	put_function();
	put_device(0);
	put_link(PCI "/driver", "../../drivers/cxl_pci");
	ctx = tree_context();
	assert_int_equal(cxlmem_bind(ctx, "0d:00.0", &options, &dev), -EBUSY);
	assert_contains(cxlmem_error(ctx), "is cxlmem0 already, by the function's own driver cxl_pci");
	assert_string_equal(driver(), "cxl_pci");
	cxlmem_unref(ctx);
}

static void driver_refuses(void **state)
{
	struct cxlmem_ctx *ctx = tree_context();
	struct cxlmem_device *dev;

	(void)state;
	put_function();
	put("fake/no-probe", "1\n");
	assert_int_equal(cxlmem_bind(ctx, "0d:00.0", &options, &dev), -ENXIO);
	assert_contains(kernel_line, "no free address space");
	assert_contains(cxlmem_error(ctx), "back with cxl_pci");
	assert_string_equal(driver(), "cxl_pci");
	assert_string_equal(get(PCI "/driver_override"), "");
	cxlmem_unref(ctx);
}

static void former_driver_does_not_let_go(void **state)
{
	struct cxlmem_ctx *ctx = tree_context();
	struct cxlmem_device *dev;

	(void)state;
	put_function();
	put("fake/unbind.error", "16");
	assert_int_equal(cxlmem_bind(ctx, "0d:00.0", &options, &dev), -EBUSY);
	assert_string_equal(get(PCI "/driver_override"), "");
	assert_string_equal(driver(), "cxl_pci");
	cxlmem_unref(ctx);
}

static void no_such_function(void **state)
{
	struct cxlmem_ctx *ctx = tree_context();
	struct cxlmem_device *dev;

	(void)state;
	put_machine();
	assert_int_equal(cxlmem_bind(ctx, "0e:00.0", &options, &dev), -ENODEV);
	assert_contains(cxlmem_error(ctx), "there is no PCI function 0000:0e:00.0");
	cxlmem_unref(ctx);
}

static void function_without_memory(void **state)
{
	struct cxlmem_ctx *ctx = tree_context();
	unsigned char config[4096];
	struct cxlmem_device *dev;

	(void)state;
	put_function();
	put_cxl_config(0x03);
	assert_int_equal(cxlmem_bind(ctx, "0d:00.0", &options, &dev), -EOPNOTSUPP);
	assert_contains(cxlmem_error(ctx), "has no CXL memory");

	/* A chain of capabilities that bites its tail, one that points at all ones, a short one. */
	memset(config, 0, sizeof(config));
	memcpy(config + 0x100, "\x01\x00\x01\x10", 4);
	put_config(config, sizeof(config));
	assert_int_equal(cxlmem_bind(ctx, "0d:00.0", &options, &dev), -EOPNOTSUPP);
	memset(config, 0xff, sizeof(config));
	put_config(config, sizeof(config));
	assert_int_equal(cxlmem_bind(ctx, "0d:00.0", &options, &dev), -EOPNOTSUPP);
	put_config(config, 64);
	assert_int_equal(cxlmem_bind(ctx, "0d:00.0", &options, &dev), -EOPNOTSUPP);
	assert_false(exists("fake/log"));
	cxlmem_unref(ctx);
}

static void dry_run_of_function(void **state)
{
	struct cxlmem_options dry = options;
	struct cxlmem_ctx *ctx = tree_context();
	struct cxlmem_device *dev = NULL;

	(void)state;
	put_function();
	dry.flags = CXLMEM_DRY_RUN;
	assert_int_equal(cxlmem_bind(ctx, "0d:00.0", &dry, &dev), CXLMEM_DONE);
	assert_null(dev);
	assert_int_equal(steps, 1);
	assert_false(exists("fake/log"));
	cxlmem_unref(ctx);
}

#define RANGES "sys/bus/platform/drivers/cxlmem_range/"

static void range(void **state)
{
	struct cxlmem_ctx *ctx = tree_context();
	struct cxlmem_options with_node = options;
	struct cxlmem_device *dev;

	(void)state;
	put_machine();
	put("sys/module/cxlmem_range/x", "%s", "");
	put(RANGES "new_range", "%s", "");
	put(RANGES "remove_range", "%s", "");
	/* The fake driver makes no device of it. */
	assert_int_equal(cxlmem_bind(ctx, "0x100000000+512M", &options, &dev), -ENODEV);
	assert_string_equal(get(RANGES "new_range"), "0x100000000 0x20000000");
	assert_string_equal(get(RANGES "remove_range"), "0x100000000");

	put_device(0);
	assert_int_equal(cxlmem_rescan(ctx), 0);
	assert_int_equal(cxlmem_bind(ctx, "4G+512M", &options, &dev), CXLMEM_ALREADY);
	assert_string_equal(cxlmem_device_get_name(dev), "cxlmem0");
	with_node.node = 2;
	assert_int_equal(cxlmem_bind(ctx, "4G+512M", &with_node, &dev), CXLMEM_ALREADY);
	assert_int_equal(cxlmem_device_get_node(dev), 2);
	/* Another size is another range. */
	assert_int_equal(cxlmem_bind(ctx, "4G+256M", &options, &dev), -ENODEV);
	cxlmem_unref(ctx);
}

static void held_range(void **state)
{
	static const struct {
		const char *holder;
		int rc;
		const char *text;
	} cases[] = {
		{ "System RAM", -EBUSY, "ordinary memory of this machine" },
		{ "dax1.0", -EBUSY, "\"cxlmemctl bind dax1.0\" takes it over" },
		{ "region3", -EBUSY, "cxl destroy-region region3" },
		{ "PCI Bus 0000:00", -EBUSY, "held by \"PCI Bus 0000:00\"" },
		{ "Soft Reserved", -ENXIO, "its reason is in the kernel's log" },
	};
	struct cxlmem_ctx *ctx = tree_context();
	struct cxlmem_device *dev;
	size_t i;

	(void)state;
	put_machine();
	put("sys/module/cxlmem_range/x", "%s", "");
	put("fake/new_range.error", "16 ");
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		put("proc/iomem", "100000000-13fffffff : %s\n", cases[i].holder);
		assert_int_equal(cxlmem_bind(ctx, "0x100000000+512M", &options, &dev), cases[i].rc);
		assert_contains(cxlmem_error(ctx), cases[i].text);
	}
	cxlmem_unref(ctx);
}

static void bad_ranges(void **state)
{
	static const char *const texts[] = {
		"", "junk", "+", "1+", "+1G", "0x100000000", "0x1+-1", "0x1+0", "0x1+1X",
		"0xffffffffffffffff+2", "99999999999999999999+1", "1+99999999999999999999",
		"0000000000000000000000000000000000000000001+1",
	};
	struct cxlmem_ctx *ctx = tree_context();
	struct cxlmem_device *dev;
	size_t i;

	(void)state;
	put_machine();
	for (i = 0; i < ARRAY_SIZE(texts); i++)
		if (cxlmem_bind(ctx, texts[i], &options, &dev) >= 0)
			fail_msg("'%s' was taken for a range", texts[i]);
	assert_int_equal(cxlmem_bind(ctx, "junk", &options, &dev), -EINVAL);
	assert_contains(cxlmem_error(ctx), "neither a PCI address");
	assert_false(exists("fake/log"));
	cxlmem_unref(ctx);
}

static void dax_in_use(void **state)
{
	struct cxlmem_ctx *ctx = tree_context();
	struct cxlmem_device *dev;

	(void)state;
	put_machine();
	put("sys/devices/platform/hmem.1/dax1.0/size", "%llu\n", 4 * BLOCK);
	put("sys/devices/platform/hmem.1/dax1.0/resource", "%#llx\n", START);
	put("sys/devices/platform/hmem.1/dax1.0/target_node", "1\n");
	put_link("sys/bus/dax/devices/dax1.0", "../../../devices/platform/hmem.1/dax1.0");
	put_link("sys/devices/platform/hmem.1/dax1.0/driver", "../../../../bus/dax/drivers/kmem");
	assert_int_equal(cxlmem_bind(ctx, "dax1.0", &options, &dev), -EBUSY);
	assert_contains(cxlmem_error(ctx), "cxlmemctl offline dax1.0");
	assert_false(exists("fake/log"));
	cxlmem_unref(ctx);
}

/* The hmem driver gets back what cxlmem_range does not take, and nobody onlines it meanwhile. */
static void dax_goes_back(void **state)
{
	struct cxlmem_ctx *ctx = tree_context();
	struct cxlmem_device *dev;

	(void)state;
	put_machine();
	put("sys/devices/system/memory/auto_online_blocks", "online\n");
	put("sys/module/cxlmem_range/x", "%s", "");
	put("sys/devices/platform/hmem.1/dax1.0/size", "%llu\n", 4 * BLOCK);
	put("sys/devices/platform/hmem.1/dax1.0/resource", "%#llx\n", START);
	put_link("sys/bus/dax/devices/dax1.0", "../../../devices/platform/hmem.1/dax1.0");
	put_link("sys/bus/pci/devices/hmem.1/driver", "../../drivers/hmem");
	put("fake/new_range.error", "16 ");
	assert_int_equal(cxlmem_bind(ctx, "dax1.0", &options, &dev), -EBUSY);
	assert_contains(cxlmem_error(ctx), "; the driver hmem has the range back");
	assert_string_equal(get("fake/log"),
			    "sys/bus/platform/drivers/hmem/unbind < hmem.1\n"
			    "sys/bus/platform/drivers/cxlmem_range/new_range < 0x100000000 0x20000000\n"
			    "sys/devices/system/memory/auto_online_blocks < offline\n"
			    "sys/bus/platform/drivers/hmem/bind < hmem.1\n"
			    "sys/devices/system/memory/auto_online_blocks < online");
	cxlmem_unref(ctx);
}

static void dax_of_a_region(void **state)
{
	struct cxlmem_ctx *ctx = tree_context();
	struct cxlmem_device *dev;

	(void)state;
	put_machine();
	put("sys/devices/dax_region0/dax0.0/size", "%llu\n", 4 * BLOCK);
	put_link("sys/bus/dax/devices/dax0.0", "../../../devices/dax_region0/dax0.0");
	assert_int_equal(cxlmem_bind(ctx, "dax0.0", &options, &dev), -EOPNOTSUPP);
	assert_contains(cxlmem_error(ctx), "cxl destroy-region");
	assert_false(exists("fake/log"));
	cxlmem_unref(ctx);
}

static void range_goes_back(void **state)
{
	struct cxlmem_ctx *ctx = tree_context();
	struct cxlmem_device *dev;

	(void)state;
	put_machine();
	put_device(0);
	put_link(PCI "/driver", "../../drivers/cxlmem_range");
	put("sys/bus/platform/drivers/cxlmem_range/remove_range", "%s", "");
	dev = find(ctx, "cxlmem0");
	put("fake/remove_range.error", "16 the range is in use");
	assert_int_equal(cxlmem_device_unbind(dev, &options), -EBUSY);
	assert_contains(cxlmem_error(ctx), "cxlmem0 cannot be given back: ");
	drop("fake/remove_range.error");
	assert_int_equal(cxlmem_device_unbind(dev, &options), CXLMEM_DONE);
	assert_string_equal(get("sys/bus/platform/drivers/cxlmem_range/remove_range"), "0x100000000");
	cxlmem_unref(ctx);
}

static void not_ours_to_unbind(void **state)
{
	struct cxlmem_ctx *ctx = tree_context();

	(void)state;
	put_machine();
	put_device(0);
	put_link(PCI "/driver", "../../drivers/accel");
	assert_int_equal(cxlmem_device_unbind(find(ctx, "cxlmem0"), &options), -EOPNOTSUPP);
	assert_contains(cxlmem_error(ctx), "belongs to the driver accel");
	cxlmem_unref(ctx);
}

static void full_device_is_not_unbound(void **state)
{
	struct cxlmem_ctx *ctx = tree_context();
	struct cxlmem_device *dev;

	(void)state;
	put_machine();
	put_device(0);
	put_node1(100 * MIB);
	dev = find(ctx, "cxlmem0");
	assert_int_equal(cxlmem_device_set_mode(dev, "system", &options), CXLMEM_DONE);
	put("fake/stuck", "33\n");
	assert_int_equal(cxlmem_device_unbind(dev, &options), -EBUSY);
	assert_string_equal(driver(), "cxlmem_pci");
	assert_string_equal(cxlmem_device_get_mode(dev), "system");
	cxlmem_unref(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(function),
		TEST(function_with_node),
		TEST(function_of_vendor),
		TEST(driver_refuses),
		TEST(former_driver_does_not_let_go),
		TEST(no_such_function),
		TEST(function_without_memory),
		TEST(dry_run_of_function),
		TEST(range),
		TEST(held_range),
		TEST(bad_ranges),
		TEST(dax_in_use),
		TEST(dax_goes_back),
		TEST(dax_of_a_region),
		TEST(range_goes_back),
		TEST(not_ours_to_unbind),
		TEST(full_device_is_not_unbound),
	};

	return cmocka_run_group_tests_name("bind", tests, NULL, NULL);
}
