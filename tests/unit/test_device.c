// SPDX-License-Identifier: GPL-2.0
/* Finding devices, and what is told about them. */
#include "tree.h"

static void no_devices(void **state)
{
	struct cxlmem_ctx *ctx = tree_context();
	struct cxlmem_device *dev;

	(void)state;
	assert_null(cxlmem_device_get_first(ctx));
	assert_int_equal(cxlmem_device_find(ctx, "cxlmem0", &dev), -ENODEV);
	assert_contains(cxlmem_error(ctx), "there is no device 'cxlmem0'");
	cxlmem_unref(ctx);
}

static void order(void **state)
{
	struct cxlmem_ctx *ctx;
	struct cxlmem_device *dev;

	(void)state;
	put_machine();
	put_device(10);
	put_device(2);
	put("sys/class/cxlmem/junk/mode", "offline\n");
	ctx = tree_context();
	dev = cxlmem_device_get_first(ctx);
	assert_string_equal(cxlmem_device_get_name(dev), "cxlmem2");
	dev = cxlmem_device_get_next(dev);
	assert_string_equal(cxlmem_device_get_name(dev), "cxlmem10");
	assert_null(cxlmem_device_get_next(dev));
	cxlmem_unref(ctx);
}

static void names(void **state)
{
	struct cxlmem_ctx *ctx;
	struct cxlmem_device *dev;

	(void)state;
	put_machine();
	put_device(0);
	put_device(1);
	ctx = tree_context();
	assert_string_equal(cxlmem_device_get_name(find(ctx, "cxlmem1")), "cxlmem1");
	assert_string_equal(cxlmem_device_get_name(find(ctx, "0000:0d:00.1")), "cxlmem1");
	assert_string_equal(cxlmem_device_get_name(find(ctx, "0D:00.0")), "cxlmem0");
	assert_string_equal(cxlmem_device_get_name(find(ctx, "serial:0x1235")), "cxlmem1");
	assert_int_equal(cxlmem_device_find(ctx, "cxlmem7", &dev), -ENODEV);
	assert_contains(cxlmem_error(ctx), "there are: cxlmem0, cxlmem1");
	assert_int_equal(cxlmem_device_find(ctx, "serial:0x99", &dev), -ENODEV);
	assert_int_equal(cxlmem_device_find(ctx, "serial:", &dev), -ENODEV);
	assert_int_equal(cxlmem_device_find(ctx, "", &dev), -ENODEV);
	cxlmem_unref(ctx);
}

static void same_serial(void **state)
{
	struct cxlmem_ctx *ctx;
	struct cxlmem_device *dev;

	(void)state;
	put_machine();
	put_device(0);
	put_device(1);
	put("sys/class/cxlmem/cxlmem1/serial", "0x1234\n");
	ctx = tree_context();
	assert_int_equal(cxlmem_device_find(ctx, "serial:0x1234", &dev), -ENOTUNIQ);
	assert_contains(cxlmem_error(ctx), "cxlmem0 and cxlmem1");
	cxlmem_unref(ctx);
}

static void no_serial_is_no_name(void **state)
{
	struct cxlmem_ctx *ctx;
	struct cxlmem_device *dev;

	(void)state;
	put_machine();
	put_device(0);
	put("sys/class/cxlmem/cxlmem0/serial", "0x0\n");
	ctx = tree_context();
	assert_int_equal(cxlmem_device_find(ctx, "serial:0", &dev), -ENODEV);
	cxlmem_unref(ctx);
}

static void many_devices_in_error(void **state)
{
	struct cxlmem_ctx *ctx;
	struct cxlmem_device *dev;
	unsigned int i;

	(void)state;
	put_machine();
	for (i = 0; i < 100; i++)
		put_device(i);
	ctx = tree_context();
	assert_int_equal(cxlmem_device_find(ctx, "nothing", &dev), -ENODEV);
	assert_contains(cxlmem_error(ctx), ", ...");
	cxlmem_unref(ctx);
}

/* Names as long as they can be, of which the list leaves just no room for the dots. */
static void long_names_in_error(void **state)
{
	struct cxlmem_ctx *ctx;
	struct cxlmem_device *dev;
	char path[128];
	unsigned int i;

	(void)state;
	put_machine();
	for (i = 0; i < 10; i++) {
		snprintf(path, sizeof(path), "sys/bus/dax/devices/dax%0*u.%02u/size",
			 i ? 57 : 49, i, i);
		put(path, "%llu\n", BLOCK);
	}
	ctx = tree_context();
	assert_int_equal(cxlmem_device_find(ctx, "nothing", &dev), -ENODEV);
	assert_contains(cxlmem_error(ctx), ", ...");
	cxlmem_unref(ctx);
}

static void facts(void **state)
{
	struct cxlmem_ctx *ctx;
	struct cxlmem_device *dev;

	(void)state;
	put_machine();
	put_device(0);
	put_node1(100 * MIB);
	ctx = tree_context();
	dev = find(ctx, "cxlmem0");
	assert_int_equal(cxlmem_device_set_mode(dev, "system", NULL), CXLMEM_DONE);
	assert_string_equal(cxlmem_device_get_kind(dev), "cxlmem");
	assert_string_equal(cxlmem_device_get_parent(dev), "0000:0d:00.0");
	assert_string_equal(cxlmem_device_get_driver(dev), "cxlmem_pci");
	assert_string_equal(cxlmem_device_get_state(dev), "online");
	assert_int_equal(cxlmem_device_get_start(dev), START);
	assert_int_equal(cxlmem_device_get_size(dev), 4 * BLOCK);
	assert_int_equal(cxlmem_device_get_online(dev), 4 * BLOCK);
	assert_int_equal(cxlmem_device_get_offline(dev), 0);
	assert_int_equal(cxlmem_device_get_used(dev), 100 * MIB);
	assert_int_equal(cxlmem_device_get_distance(dev), 20);
	assert_int_equal(cxlmem_device_get_read_latency(dev), 250);
	assert_int_equal(cxlmem_device_get_read_bandwidth(dev), 30000);
	assert_int_equal(cxlmem_device_get_tier(dev), 60);
	assert_int_equal(cxlmem_device_get_memmap(dev), 0);
	assert_int_equal(cxlmem_device_get_serial(dev), 0x1234);
	cxlmem_unref(ctx);
}

/* What makes no sense is not believed, and nothing is done with such a device. */
static void senseless_pages(void **state)
{
	static const char *const cases[][2] = {
		{ "pages/used", "1099511627776" }, { "pages/used", "-1" }, { "pages/used", "" },
		{ "pages/capacity", "1099511627776" }, { "pages/capacity", "many" },
		{ "quota", "18446744073709551615" }, { "quota", "x" }, { "policy", "D\n" },
	};
	struct cxlmem_device *dev;
	struct cxlmem_ctx *ctx;
	char path[128];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		put_machine();
		put_device(0);
		put_driver_mode(0);
		put("sys/class/cxlmem/cxlmem0/mode", "driver\n");
		put("sys/class/cxlmem/cxlmem0/pages/capacity", "%llu\n", 4 * BLOCK);
		snprintf(path, sizeof(path), "sys/class/cxlmem/cxlmem0/%s", cases[i][0]);
		put(path, "%s\n", cases[i][1]);
		ctx = tree_context();
		dev = find(ctx, "cxlmem0");
		assert_in_range(cxlmem_device_get_capacity(dev), 0, 4 * BLOCK);
		assert_true(cxlmem_device_get_used(dev) <= (int64_t)(4 * BLOCK));
		assert_int_equal(cxlmem_device_set_mode(dev, "offline", NULL), -EPROTO);
		assert_contains(cxlmem_error(ctx), "makes no sense");
		cxlmem_unref(ctx);
	}
}

static void unknown_facts(void **state)
{
	struct cxlmem_ctx *ctx;
	struct cxlmem_device *dev;

	(void)state;
	put_machine();
	put_device(0);
	put("sys/class/cxlmem/cxlmem0/node", "-1\n");
	ctx = tree_context();
	dev = find(ctx, "cxlmem0");
	assert_int_equal(cxlmem_device_get_node(dev), -1);
	assert_int_equal(cxlmem_device_get_distance(dev), -1);
	assert_int_equal(cxlmem_device_get_read_latency(dev), -1);
	assert_int_equal(cxlmem_device_get_tier(dev), -1);
	assert_int_equal(cxlmem_device_get_used(dev), 0);
	assert_string_equal(cxlmem_device_get_state(dev), "");
	cxlmem_unref(ctx);
}

/* A node that has other memory, too, does not tell what of it the device's is. */
static void shared_node(void **state)
{
	struct cxlmem_ctx *ctx;
	struct cxlmem_device *dev;

	(void)state;
	put_machine();
	put_device(0);
	put_node1(0);
	put("sys/devices/system/node/node1/meminfo",
	    "Node 1 MemTotal:  9999999 kB\nNode 1 MemFree:  99 kB\n");
	ctx = tree_context();
	dev = find(ctx, "cxlmem0");
	assert_int_equal(cxlmem_device_set_mode(dev, "system", NULL), CXLMEM_DONE);
	assert_int_equal(cxlmem_device_get_used(dev), -1);
	cxlmem_unref(ctx);
}

static void partly_online(void **state)
{
	struct cxlmem_ctx *ctx;
	struct cxlmem_device *dev;

	(void)state;
	put_machine();
	put_device(0);
	ctx = tree_context();
	dev = find(ctx, "cxlmem0");
	assert_int_equal(cxlmem_device_set_mode(dev, "system", NULL), CXLMEM_DONE);
	put("sys/devices/system/memory/memory33/state", "offline\n");
	put("sys/devices/system/memory/memory34/state", "going-offline\n");
	assert_int_equal(cxlmem_device_refresh(dev), 0);
	assert_string_equal(cxlmem_device_get_state(dev), "partly");
	assert_int_equal(cxlmem_device_get_online(dev), 3 * BLOCK);
	assert_int_equal(cxlmem_device_get_offline(dev), BLOCK);
	cxlmem_unref(ctx);
}

/* Whatever an attribute holds, the device is listed, and nothing is done to it. */
static void garbage(void **state)
{
	static const struct {
		const char *attr;
		const char *value;
	} bad[] = {
		{ "mode", "" }, { "mode", "off" }, { "mode", "\x1b[31moffline" },
		{ "size", "many" }, { "size", "-1" }, { "size", "" },
		{ "size", "99999999999999999999999" }, { "start", "0xfffffffffffffffff" },
		{ "start", "0xffffffffffffffff" }, { "usable_start", "0xfffffffffffffff0" },
		{ "usable_size", "1 2" }, { "node", "100000" }, { "node", "-2" }, { "node", "one" },
		{ "zone", "123" }, { "zone", "" }, { "serial", "x" }, { "source", "A\tB" },
		{ "memmap_on_memory", "yes" }, { "modes", "" },
	};
	char path[128], old[256];
	size_t i;

	(void)state;
	put_machine();
	put_device(0);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct cxlmem_ctx *ctx = tree_context();
		struct cxlmem_device *dev;

		snprintf(path, sizeof(path), "sys/class/cxlmem/cxlmem0/%s", bad[i].attr);
		strcpy(old, get(path));
		put(path, "%s\n", bad[i].value);
		dev = find(ctx, "cxlmem0");
		if (cxlmem_device_set_mode(dev, "system", NULL) >= 0)
			fail_msg("%s '%s' was accepted", bad[i].attr, bad[i].value);
		assert_false(exists("fake/log"));
		put(path, "%s\n", old);
		cxlmem_unref(ctx);
	}
}

static void long_and_binary_attributes(void **state)
{
	struct cxlmem_ctx *ctx;
	char text[5000];

	(void)state;
	put_machine();
	put_device(0);
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	put("sys/class/cxlmem/cxlmem0/mode", "%s", text);
	put("sys/class/cxlmem/cxlmem0/zone", "mov%cable", 0);
	ctx = tree_context();
	assert_string_equal(cxlmem_device_get_mode(find(ctx, "cxlmem0")), "unknown");
	assert_string_equal(cxlmem_device_get_zone(find(ctx, "cxlmem0")), "");
	cxlmem_unref(ctx);
}

/* A size of exabytes must not make us look for billions of memory blocks. */
static void huge_size(void **state)
{
	struct cxlmem_ctx *ctx;
	struct cxlmem_device *dev;

	(void)state;
	put_machine();
	put_device(0);
	put("sys/class/cxlmem/cxlmem0/mode", "system\n");
	put("sys/class/cxlmem/cxlmem0/usable_size", "%llu\n", 1ull << 60);
	ctx = tree_context();
	dev = find(ctx, "cxlmem0");
	assert_string_equal(cxlmem_device_get_state(dev), "");
	assert_true(cxlmem_device_set_mode(dev, "system", NULL) < 0);
	assert_contains(cxlmem_error(ctx), "memory blocks");
	cxlmem_unref(ctx);
}

static void goes_away(void **state)
{
	struct cxlmem_ctx *ctx;
	struct cxlmem_device *dev;

	(void)state;
	put_machine();
	put_device(0);
	ctx = tree_context();
	dev = find(ctx, "cxlmem0");
	drop("sys/class/cxlmem/cxlmem0");
	assert_int_equal(cxlmem_device_refresh(dev), -ENODEV);
	assert_int_equal(cxlmem_device_set_mode(dev, "system", NULL), -ENODEV);
	assert_contains(cxlmem_error(ctx), "cxlmem0 is gone");
	cxlmem_unref(ctx);
}

static void put_dax(void)
{
	put("sys/devices/platform/hmem.1/dax1.0/size", "%llu\n", 4 * BLOCK);
	put("sys/devices/platform/hmem.1/dax1.0/resource", "%#llx\n", START);
	put("sys/devices/platform/hmem.1/dax1.0/target_node", "1\n");
	put("sys/devices/platform/hmem.1/dax1.1/size", "0\n");
	put_link("sys/bus/dax/devices/dax1.0", "../../../devices/platform/hmem.1/dax1.0");
	put_link("sys/bus/dax/devices/dax1.1", "../../../devices/platform/hmem.1/dax1.1");
	put_link("sys/devices/platform/hmem.1/dax1.0/driver", "../../../../bus/dax/drivers/kmem");
}

static void dax_devices(void **state)
{
	struct cxlmem_ctx *ctx;
	struct cxlmem_device *dev;
	unsigned int i;
	char path[128];

	(void)state;
	put_machine();
	put_dax();
	for (i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "sys/devices/system/memory/memory%u/state", 32 + i);
		put(path, "online\n");
		snprintf(path, sizeof(path), "sys/devices/system/memory/memory%u/valid_zones",
			 32 + i);
		put(path, i ? "Movable\n" : "Normal\n");
	}
	ctx = tree_context();
	dev = cxlmem_device_get_first(ctx);
	/* The seed dax1.1 is no device. */
	assert_null(cxlmem_device_get_next(dev));
	assert_string_equal(cxlmem_device_get_name(dev), "dax1.0");
	assert_string_equal(cxlmem_device_get_kind(dev), "dax");
	assert_string_equal(cxlmem_device_get_parent(dev), "hmem.1");
	assert_string_equal(cxlmem_device_get_mode(dev), "system");
	assert_string_equal(cxlmem_device_get_zone(dev), "kernel");
	assert_int_equal(cxlmem_device_get_node(dev), 1);
	assert_int_equal(cxlmem_device_get_online(dev), 4 * BLOCK);
	cxlmem_unref(ctx);
}

static void dax_without_rights(void **state)
{
	struct cxlmem_ctx *ctx;
	struct cxlmem_device *dev;

	(void)state;
	put_machine();
	put_dax();
	drop("sys/devices/platform/hmem.1/dax1.0/resource");
	ctx = tree_context();
	dev = find(ctx, "dax1.0");
	assert_string_equal(cxlmem_device_get_mode(dev), "system");
	assert_string_equal(cxlmem_device_get_state(dev), "");
	assert_int_equal(cxlmem_device_get_used(dev), -1);
	cxlmem_unref(ctx);
}

static void dax_refusals(void **state)
{
	struct cxlmem_options options = CXLMEM_OPTIONS_INIT;
	struct cxlmem_ctx *ctx = tree_context();
	struct cxlmem_device *dev;

	(void)state;
	put_machine();
	put_dax();
	drop("sys/devices/platform/hmem.1/dax1.0/driver");
	dev = find(ctx, "dax1.0");
	options.node = 3;
	assert_int_equal(cxlmem_device_set_mode(dev, "system", &options), -EOPNOTSUPP);
	assert_contains(cxlmem_error(ctx), "the node of a dax device cannot be set");
	put_link("sys/devices/platform/hmem.1/dax1.0/driver", "../../../../bus/dax/drivers/device_dax");
	assert_int_equal(cxlmem_device_set_mode(dev, "offline", NULL), -EBUSY);
	assert_contains(cxlmem_error(ctx), "--force takes it from them");
	assert_int_equal(cxlmem_device_unbind(dev, NULL), -EOPNOTSUPP);
	assert_false(exists("fake/log"));
	cxlmem_unref(ctx);
}

/* A size that no kernel has would make millions of blocks. */
static void block_sizes(void **state)
{
	static const char *const sizes[] = { "0", "800", "9000000", "x", "-1", "" };
	struct cxlmem_ctx *ctx;
	struct cxlmem_device *dev;
	size_t i;

	(void)state;
	put_machine();
	put_device(0);
	put("sys/class/cxlmem/cxlmem0/mode", "system\n");
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		put("sys/devices/system/memory/block_size_bytes", "%s\n", sizes[i]);
		ctx = tree_context();
		dev = find(ctx, "cxlmem0");
		assert_int_equal(block_size(ctx), 0);
		assert_string_equal(cxlmem_device_get_state(dev), "");
		cxlmem_unref(ctx);
	}
}

static void references(void **state)
{
	struct cxlmem_ctx *ctx = tree_context();

	(void)state;
	put_machine();
	put_device(0);
	assert_ptr_equal(cxlmem_ref(ctx), ctx);
	cxlmem_unref(ctx);
	assert_ptr_equal(cxlmem_device_get_ctx(find(ctx, "cxlmem0")), ctx);
	cxlmem_unref(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_devices),
		TEST(order),
		TEST(names),
		TEST(same_serial),
		TEST(no_serial_is_no_name),
		TEST(many_devices_in_error),
		TEST(long_names_in_error),
		TEST(facts),
		TEST(unknown_facts),
		TEST(senseless_pages),
		TEST(shared_node),
		TEST(partly_online),
		TEST(garbage),
		TEST(long_and_binary_attributes),
		TEST(huge_size),
		TEST(goes_away),
		TEST(dax_devices),
		TEST(dax_without_rights),
		TEST(dax_refusals),
		TEST(block_sizes),
		TEST(references),
	};

	return cmocka_run_group_tests_name("device", tests, NULL, NULL);
}
