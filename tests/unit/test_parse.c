// SPDX-License-Identifier: GPL-2.0
/* Numbers, sizes, addresses and node lists. */
#include "tree.h"

static void sizes(void **state)
{
	uint64_t bytes;

	(void)state;
	assert_int_equal(cxlmem_parse_size("0", &bytes), 0);
	assert_int_equal(bytes, 0);
	assert_int_equal(cxlmem_parse_size("512M", &bytes), 0);
	assert_int_equal(bytes, 512 * MIB);
	assert_int_equal(cxlmem_parse_size("2g", &bytes), 0);
	assert_int_equal(bytes, 2048 * MIB);
	assert_int_equal(cxlmem_parse_size("1GiB", &bytes), 0);
	assert_int_equal(bytes, 1024 * MIB);
	assert_int_equal(cxlmem_parse_size("10B", &bytes), 0);
	assert_int_equal(bytes, 10);
	assert_int_equal(cxlmem_parse_size("0x100000000", &bytes), 0);
	assert_int_equal(bytes, 0x100000000);
	assert_int_equal(cxlmem_parse_size("0xB", &bytes), 0);
	assert_int_equal(bytes, 11);
	assert_int_equal(cxlmem_parse_size("15E", &bytes), 0);
	assert_int_equal(bytes, 15ull << 60);
	assert_int_equal(cxlmem_parse_size("18446744073709551615", &bytes), 0);
	assert_int_equal(bytes, UINT64_MAX);
}

static void bad_sizes(void **state)
{
	static const char *const texts[] = {
		"", "M", "-1", "+1", " 1", "1 ", "1 G", "1X", "1GG", "1.5G", "0x", "0xg", "1Gi",
		"99999999999999999999999999999999999999999999",
	};
	uint64_t bytes;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(texts); i++)
		if (!cxlmem_parse_size(texts[i], &bytes))
			fail_msg("'%s' was taken for a size", texts[i]);
	assert_int_equal(cxlmem_parse_size("18446744073709551616", &bytes), -ERANGE);
	assert_int_equal(cxlmem_parse_size("16777216T", &bytes), -ERANGE);
	assert_int_equal(cxlmem_parse_size("16E", &bytes), -ERANGE);
}

static void written_sizes(void **state)
{
	char text[8];

	(void)state;
	assert_string_equal(cxlmem_format_size(0, text, sizeof(text)), "0B");
	assert_string_equal(cxlmem_format_size(1023, text, sizeof(text)), "1023B");
	assert_string_equal(cxlmem_format_size(512 * MIB, text, sizeof(text)), "512M");
	assert_string_equal(cxlmem_format_size(1536 * MIB, text, sizeof(text)), "1.5G");
	assert_string_equal(cxlmem_format_size(1024 * MIB - 1, text, sizeof(text)), "1023.9M");
	assert_string_equal(cxlmem_format_size(UINT64_MAX, text, sizeof(text)), "15.9E");
}

static void addresses(void **state)
{
	char pci[32];

	(void)state;
	assert_int_equal(parse_pci("0000:0d:00.0", pci, sizeof(pci)), 0);
	assert_string_equal(pci, "0000:0d:00.0");
	assert_int_equal(parse_pci("0D:1f.7", pci, sizeof(pci)), 0);
	assert_string_equal(pci, "0000:0d:1f.7");
	assert_int_equal(parse_pci("1:d:0.1", pci, sizeof(pci)), 0);
	assert_string_equal(pci, "0001:0d:00.1");
	assert_int_equal(parse_pci("0d:20.0", pci, sizeof(pci)), -EINVAL);
	assert_int_equal(parse_pci("0d:00.8", pci, sizeof(pci)), -EINVAL);
	assert_int_equal(parse_pci("0d:00", pci, sizeof(pci)), -EINVAL);
	assert_int_equal(parse_pci("0d:00.0x", pci, sizeof(pci)), -EINVAL);
	assert_int_equal(parse_pci("0d:00.0.", pci, sizeof(pci)), -EINVAL);
	assert_int_equal(parse_pci("", pci, sizeof(pci)), -EINVAL);
	assert_int_equal(parse_pci("-1:00.0", pci, sizeof(pci)), -EINVAL);
}

static void node_lists(void **state)
{
	struct nodes nodes;

	(void)state;
	assert_int_equal(parse_nodes("0-1,4,1023", &nodes), 0);
	assert_true(nodes_has(&nodes, 0) && nodes_has(&nodes, 1) && nodes_has(&nodes, 4));
	assert_true(nodes_has(&nodes, 1023));
	assert_false(nodes_has(&nodes, 2) || nodes_has(&nodes, -1) || nodes_has(&nodes, 5000));
	assert_int_equal(parse_nodes("", &nodes), 0);
	assert_false(nodes_has(&nodes, 0));
	assert_int_equal(parse_nodes("1024", &nodes), -ERANGE);
	assert_int_equal(parse_nodes("0-99999999999999999999", &nodes), -ERANGE);
	assert_int_equal(parse_nodes("3-1", &nodes), -ERANGE);
	assert_int_equal(parse_nodes("1,x", &nodes), -EINVAL);
	assert_int_equal(parse_nodes("1-", &nodes), -EINVAL);
}

static void numbers(void **state)
{
	uint64_t value;

	(void)state;
	assert_int_equal(parse_number("0x1f", &value), 0);
	assert_int_equal(value, 0x1f);
	assert_int_equal(parse_number("10", &value), 0);
	assert_int_equal(value, 10);
	assert_int_equal(parse_number("0x-1", &value), -EINVAL);
	assert_int_equal(parse_number("-1", &value), -EINVAL);
	assert_int_equal(parse_number("", &value), -EINVAL);
	assert_int_equal(parse_number("1f", &value), -EINVAL);
	assert_int_equal(parse_number("99999999999999999999", &value), -ERANGE);
	assert_int_equal(parse_suffix("cxlmem12", "cxlmem", &value), 0);
	assert_int_equal(value, 12);
	assert_int_equal(parse_suffix("cxlmem", "cxlmem", &value), -EINVAL);
	assert_int_equal(parse_suffix("cxlmemx", "cxlmem", &value), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),
		cmocka_unit_test(bad_sizes),
		cmocka_unit_test(written_sizes),
		cmocka_unit_test(addresses),
		cmocka_unit_test(node_lists),
		cmocka_unit_test(numbers),
	};

	return cmocka_run_group_tests_name("parse", tests, NULL, NULL);
}
