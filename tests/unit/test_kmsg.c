// SPDX-License-Identifier: GPL-2.0
/* The kernel's reasons, from its log. */
#include "tree.h"

static void parse(struct kmsg *kmsg, const char *text)
{
	char copy[4096];

	memset(kmsg, 0, sizeof(*kmsg));
	kmsg->fd = -1;
	snprintf(copy, sizeof(copy), "%s", text);
	kmsg_parse(kmsg, copy);
}

static void lines(void **state)
{
	struct kmsg kmsg;

	(void)state;
	parse(&kmsg, "6,1,2,-;one\n SUBSYSTEM=pci\n DEVICE=+pci:0;x\n4,2,3,c,x=1;two;three\nno record\n");
	assert_int_equal(kmsg.nr, 2);
	assert_string_equal(kmsg.lines[0], "one");
	assert_string_equal(kmsg.lines[1], "two;three");
	kmsg_close(&kmsg);
}

static void dumped_page(void **state)
{
	struct offline_failure f;
	struct kmsg kmsg;

	(void)state;
	parse(&kmsg,
	      "4,1,1,-;page: refcount:0 mapcount:0 mapping:0000000000000000 index:0xffff8b5150002300 pfn:0x110003\n"
	      "4,2,1,-;flags: 0x57ffffc0000240(workingset|head|node=1|zone=2|lastcpupid=0x1fffff)\n"
	      "4,3,1,-;page_type: f5(slab)\n"
	      "4,4,1,-;page dumped because: unmovable page\n");
	assert_true(kmsg_offline_failure(&kmsg, 0x110000000, 0x8000000, &f));
	assert_int_equal(f.address, 0x110003000);
	assert_string_equal(f.reason, "unmovable page");
	assert_string_equal(f.type, "slab");
	assert_contains(kmsg_explain(f.reason), "memory of the kernel itself");
	kmsg_close(&kmsg);
}

static void page_of_a_file(void **state)
{
	struct offline_failure f;
	struct kmsg kmsg;

	(void)state;
	parse(&kmsg,
	      "4,0,1,-;migrating pfn 110003 failed ret:1\n"
	      "4,1,1,-;page: refcount:4 mapcount:1 mapping:00000000c0ffee00 index:0x7 pfn:0x110003\n"
	      "4,2,1,-;aops:ext4_da_aops ino:1b dentry name(?):\"data.db\"\n"
	      "4,3,1,-;flags: 0x57ffffc0000240(workingset|node=1|zone=2|lastcpupid=0x1fffff)\n"
	      "4,4,1,-;page dumped because: migration failure\n");
	assert_true(kmsg_offline_failure(&kmsg, 0x110000000, 0x8000000, &f));
	assert_int_equal(f.references, 4);
	assert_string_equal(f.file, "data.db");
	kmsg_close(&kmsg);
}

/* With dynamic debugging the kernel tells of the block, too. */
static void failed_block(void **state)
{
	struct offline_failure f;
	struct kmsg kmsg;

	(void)state;
	parse(&kmsg,
	      "7,3,1,-;memory offlining [mem 0x110000000-0x117ffffff] failed due to failure to isolate range\n");
	assert_true(kmsg_offline_failure(&kmsg, 0x100000000, 0x20000000, &f));
	assert_int_equal(f.address, 0x110000000);
	assert_string_equal(f.reason, "failure to isolate range");
	assert_contains(kmsg_explain(f.reason), "cannot set apart");
	kmsg_close(&kmsg);
}

static void of_another_range(void **state)
{
	struct offline_failure f;
	struct kmsg kmsg;

	(void)state;
	parse(&kmsg,
	      "7,3,1,-;memory offlining [mem 0x110000000-0x117ffffff] failed due to unmovable page\n");
	assert_false(kmsg_offline_failure(&kmsg, 0x100000000, 0x10000000, &f));
	assert_false(kmsg_offline_failure(&kmsg, 0x118000000, 0x10000000, &f));
	assert_true(kmsg_offline_failure(&kmsg, 0x110000000, 1, &f));
	kmsg_close(&kmsg);
}

static void last_one_counts(void **state)
{
	struct offline_failure f;
	struct kmsg kmsg;

	(void)state;
	parse(&kmsg,
	      "4,1,1,-;page: refcount:3 index:0x7f pfn:0x100001\n"
	      "4,1,1,-;page_type: f5(slab)\n"
	      "4,2,1,-;page dumped because: unmovable page\n"
	      "4,1,1,-;page: refcount:3 index:0x7f pfn:0x108001\n"
	      "4,2,1,-;page dumped because: migration failure\n");
	assert_true(kmsg_offline_failure(&kmsg, 0x100000000, 0x10000000, &f));
	assert_int_equal(f.address, 0x108001000);
	assert_string_equal(f.reason, "migration failure");
	assert_string_equal(f.type, "");
	assert_true(kmsg_offline_failure(&kmsg, 0x100000000, 0x8000000, &f));
	assert_int_equal(f.address, 0x100001000);
	kmsg_close(&kmsg);
}

static void nonsense(void **state)
{
	static const char *const texts[] = {
		"", "\n\n", ";", "6,1,1,-;", "6;memory offlining [mem ",
		"6;memory offlining [mem 0x1-", "6;memory offlining [mem x-y] failed due to z",
		"6;memory offlining [mem 0x1-0x2] failed",
		"6;memory offlining [mem 0x1-0x2] failed due t",
		"6;page: pfn:0xffffffffffffffff\n6;page dumped because", "6;page_type: (((",
		"6;page_type: f5(", "6;page: pfn:",
	};
	struct offline_failure f;
	struct kmsg kmsg;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		parse(&kmsg, texts[i]);
		assert_false(kmsg_offline_failure(&kmsg, 0, UINT64_MAX, &f));
		kmsg_close(&kmsg);
	}
}

static void long_reason(void **state)
{
	struct offline_failure f;
	struct kmsg kmsg;
	char text[1024];

	(void)state;
	snprintf(text, sizeof(text),
		 "6;memory offlining [mem 0x0-0xfff] failed due to %0500d\n", 7);
	parse(&kmsg, text);
	assert_true(kmsg_offline_failure(&kmsg, 0, 1, &f));
	assert_int_equal(strlen(f.reason), sizeof(f.reason) - 1);
	assert_string_equal(kmsg_explain(f.reason), "the kernel could not move its pages");
	kmsg_close(&kmsg);
}

static void only_what_is_new(void **state)
{
	struct cxlmem_ctx *ctx;
	struct kmsg kmsg;

	(void)state;
	put_machine();
	ctx = tree_context();
	kmsg_open(ctx, &kmsg);
	kmsg_collect(&kmsg);
	assert_int_equal(kmsg.nr, 0);
	kmsg_close(&kmsg);

	/* Without the right to read the log there is none. */
	drop("dev/kmsg");
	kmsg_open(ctx, &kmsg);
	kmsg_collect(&kmsg);
	assert_int_equal(kmsg.nr, 0);
	kmsg_close(&kmsg);
	cxlmem_unref(ctx);
}

static void who_holds_a_range(void **state)
{
	struct cxlmem_ctx *ctx = tree_context();
	char name[16];

	(void)state;
	put("proc/iomem",
	    "00000000-00000fff : Reserved\n"
	    "00001000-0009fbff : System RAM\n"
	    "100000000-13fffffff : CXL Window 0\n"
	    "  100000000-11fffffff : region0\n"
	    "    100000000-11fffffff : dax0.0\n"
	    "      100000000-11fffffff : System RAM (kmem)\n"
	    "junk\n"
	    "200000000-2ffffffff : A name that is longer than there is room for\n");
	assert_int_equal(iomem_holder(ctx, 0x1000, 0x1000, name, sizeof(name)), 1);
	assert_string_equal(name, "System RAM");
	assert_int_equal(iomem_holder(ctx, 0x108000000, 0x1000, name, sizeof(name)), 1);
	assert_string_equal(name, "System RAM (kme");
	assert_int_equal(iomem_holder(ctx, 0x130000000, 0x1000, name, sizeof(name)), 1);
	assert_string_equal(name, "CXL Window 0");
	assert_int_equal(iomem_holder(ctx, 0x200000000, 1, name, sizeof(name)), 1);
	assert_int_equal(iomem_holder(ctx, 0x140000000, 0x1000, name, sizeof(name)), 0);
	drop("proc/iomem");
	assert_int_equal(iomem_holder(ctx, 0, 1, name, sizeof(name)), -ENOENT);
	cxlmem_unref(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(dumped_page),
		cmocka_unit_test(page_of_a_file),
		cmocka_unit_test(failed_block),
		cmocka_unit_test(of_another_range),
		cmocka_unit_test(last_one_counts),
		cmocka_unit_test(nonsense),
		cmocka_unit_test(long_reason),
		TEST(only_what_is_new),
		TEST(who_holds_a_range),
	};

	return cmocka_run_group_tests_name("kmsg", tests, NULL, NULL);
}
