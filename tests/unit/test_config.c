// SPDX-License-Identifier: GPL-2.0
/* cxlmem.conf: what it says, and what is said about its mistakes. */
#include <sys/stat.h>

#include "tree.h"

#define CONF "etc/cxlmem/cxlmem.conf"

static void matches(const char *conf, const char *device, const char *section, const char *mode)
{
	struct cxlmem_options options = CXLMEM_OPTIONS_INIT;
	struct cxlmem_ctx *ctx = tree_context();
	struct cxlmem_config *config;
	const char *found, *wanted;

	put(CONF, "%s", conf);
	if (cxlmem_config_load(ctx, NULL, &config))
		fail_msg("%s", cxlmem_error(ctx));
	found = cxlmem_config_match(config, find(ctx, device), &wanted, &options);
	if (section) {
		assert_non_null(found);
		assert_string_equal(found, section);
		assert_string_equal(wanted, mode);
	} else {
		assert_null(found);
	}
	cxlmem_config_free(config);
	cxlmem_unref(ctx);
}

static void refused(const char *conf, const char *text)
{
	struct cxlmem_ctx *ctx = tree_context();
	struct cxlmem_config *config;

	put(CONF, "%s", conf);
	assert_int_equal(cxlmem_config_load(ctx, NULL, &config), -EINVAL);
	assert_contains(cxlmem_error(ctx), text);
	cxlmem_unref(ctx);
}

static void ways_to_match(void **state)
{
	(void)state;
	put_machine();
	put_device(0);
	put_device(1);
	matches("[auto-online a]\nmatch.pci = 0D:00.1\nmode = system\n", "cxlmem1", "a", "system");
	matches("[auto-online a]\nmatch.pci = 0D:00.1\nmode = system\n", "cxlmem0", NULL, NULL);
	matches("[auto-online a]\nmatch.id=8086:0d93\nmode=offline\n", "cxlmem0", "a", "offline");
	matches("[auto-online a]\nmatch.id=8086:0d94\nmode=offline\n", "cxlmem0", NULL, NULL);
	matches("[auto-online a]\nmatch.serial=0x1235\nmode=system\n", "cxlmem1", "a", "system");
	matches("[auto-online a]\nmatch.start=0x100000000\nmode=system\n", "cxlmem0", "a",
		"system");
	/* All keys must fit. */
	matches("[auto-online a]\nmatch.id=8086:0d93\nmatch.serial=1\nmode=system\n", "cxlmem0",
		NULL, NULL);
	/* The first section wins. */
	matches("# comment\n[auto-online z]\nmatch.id=8086:0d93\nmode=offline\n"
		"[auto-online a]\nmatch.serial=0x1234\nmode=system\n", "cxlmem0", "z", "offline");
}

static void empty(void **state)
{
	struct cxlmem_ctx *ctx = tree_context();
	struct cxlmem_config *config;

	(void)state;
	put_machine();
	put_device(0);
	matches("", "cxlmem0", NULL, NULL);
	matches("# nothing\n\n", "cxlmem0", NULL, NULL);
	drop(CONF);
	assert_int_equal(cxlmem_config_load(ctx, NULL, &config), 0);
	cxlmem_config_free(config);
	assert_int_equal(cxlmem_config_load(ctx, "/etc/other.conf", &config), -ENOENT);
	assert_contains(cxlmem_error(ctx), "/etc/other.conf");
	cxlmem_unref(ctx);
}

static void settings(void **state)
{
	struct cxlmem_options options = CXLMEM_OPTIONS_INIT;
	struct cxlmem_ctx *ctx = tree_context();
	struct cxlmem_config *config;
	const char *mode;

	(void)state;
	put_machine();
	put_device(0);
	put(CONF, "[auto-online card]\nmatch.pci=0d:00.0\nmode=system\nzone=kernel\nnode=7\nmemmap=on\n");
	assert_int_equal(cxlmem_config_load(ctx, NULL, &config), 0);
	assert_non_null(cxlmem_config_match(config, find(ctx, "cxlmem0"), &mode, &options));
	assert_string_equal(options.zone, "kernel");
	assert_int_equal(options.node, 7);
	assert_int_equal(options.memmap, 1);
	assert_int_equal(options.lend, CXLMEM_KEEP);
	cxlmem_config_free(config);
	put(CONF, "[auto-online card]\nmatch.pci=0d:00.0\nmode=cma\nlend=on\nquota=1G\n");
	assert_int_equal(cxlmem_config_load(ctx, NULL, &config), 0);
	assert_non_null(cxlmem_config_match(config, find(ctx, "cxlmem0"), &mode, &options));
	assert_string_equal(mode, "cma");
	assert_int_equal(options.lend, 1);
	assert_int_equal(options.quota, 1 << 30);
	assert_null(options.policy);
	cxlmem_config_free(config);
	put(CONF, "[auto-online card]\nmatch.pci=0d:00.0\nmode=driver\npolicy=deny\n");
	assert_int_equal(cxlmem_config_load(ctx, NULL, &config), 0);
	assert_non_null(cxlmem_config_match(config, find(ctx, "cxlmem0"), &mode, &options));
	assert_string_equal(mode, "driver");
	assert_string_equal(options.policy, "deny");
	cxlmem_config_free(config);
	cxlmem_unref(ctx);
}

static void mistakes(void **state)
{
	(void)state;
	refused("[auto-online a]\nmatch.pci=0d:00.0\nmode = sytem\n",
		"cxlmem.conf:3: 'sytem' is not a value for mode; it must be offline, system, driver or cma");
	refused("[auto-online a]\nmatch.pci=0d:00.0\nmodde = system\n",
		"cxlmem.conf:3: there is no key 'modde'");
	refused("\n[auto-onlin a]\nmatch.pci=0d:00.0\nmode = system\n",
		"cxlmem.conf:2: there is no kind of section 'auto-onlin a'");
	refused("[auto-online a]\nmode = system\n", "cxlmem.conf:1: section 'a' matches no device");
	refused("[auto-online a]\nmatch.serial=5\n", "cxlmem.conf:1: section 'a' has no mode");
	refused("mode = system\n", "cxlmem.conf:1: 'mode' stands before the first section");
	refused("[auto-online a]\nmatch.pci=0d:00\nmode=system\n",
		"cxlmem.conf:2: '0d:00' is not a value for match.pci");
	refused("[auto-online a]\nmatch.id=8086\nmode=system\n", "match.id");
	refused("[auto-online a]\nmatch.id=8086:zzzz\nmode=system\n", "match.id");
	refused("[auto-online a]\nmatch.serial=-1\nmode=system\n", "match.serial");
	refused("[auto-online a]\nmatch.serial=\nmode=system\n", "match.serial");
	refused("[auto-online a]\nmatch.serial=1\nmode=system\nnode=4096\n", "node");
	refused("[auto-online a]\nmatch.serial=1\nmode=system\nzone=normal\n",
		"cxlmem.conf:4: 'normal' is not a value for zone");
	refused("[auto-online a]\nmatch.serial=1\nmode=system\nmemmap=yes\n", "memmap");
	refused("[auto-online a]\nmatch.serial=1\nmode=cma\nlend=maybe\n",
		"cxlmem.conf:4: 'maybe' is not a value for lend; it must be on or off");
	refused("[auto-online a]\nmatch.serial=1\nmode=driver\npolicy=evic\n",
		"cxlmem.conf:4: 'evic' is not a value for policy; it must be deny or evict");
}

static void syntax_errors(void **state)
{
	char text[4000];

	(void)state;
	refused("[auto-online a]\nmatch.serial=1\nnonsense\n", "cxlmem.conf:3:");
	refused("[auto-online a\n", "cxlmem.conf:1:");
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	refused(text, "cxlmem.conf");
}

/* What iniparser would read in another way than it was meant. */
static void traps(void **state)
{
	struct cxlmem_ctx *ctx = tree_context();
	struct cxlmem_config *config;

	(void)state;
	refused("[auto-online a:b]\nmatch.serial=1\nmode=system\n",
		"cxlmem.conf:1: the name of section 'auto-online a:b' has a colon");
	refused("\n[:a]\nmode=system\n", "cxlmem.conf:2: the name of section ':a' has a colon");
	refused("[auto-online a.mode=system\n",
		"cxlmem.conf:1: '[auto-online a.mode' stands before the first section");
	refused("[auto-online a]\nmatch.serial=1\n# in C:\\\nmode=system\n", "cxlmem.conf:3:");
	refused("[auto-online a]\nmatch.serial=1\nnonsense (7)\n", "cxlmem.conf:3:");
	refused("[auto-online a]]\nmode=system\n", "cxlmem.conf:1: section 'a]' matches no device");
	put(CONF, "[auto-online a]\nmatch.serial=1\nmode=system\n%c\nmode=offline\n", 0);
	assert_int_equal(cxlmem_config_load(ctx, NULL, &config), -EINVAL);
	assert_contains(cxlmem_error(ctx), "cxlmem.conf:4:");
	cxlmem_unref(ctx);
}

/* What comes first in another section must not be taken for the one that is wrong. */
static void line_in_the_right_section(void **state)
{
	(void)state;
	refused("[auto-online a]\nmatch.serial=1\nmode=system\n\n"
		"[auto-online b]\nmatch.serial=2\nmode=sys\n", "cxlmem.conf:7: 'sys'");
}

static void written_by_others(void **state)
{
	struct cxlmem_ctx *ctx = tree_context();
	struct cxlmem_config *config;
	char path[PATH_MAX];

	(void)state;
	put(CONF, "[auto-online a]\nmatch.serial=1\nmode=system\n");
	snprintf(path, sizeof(path), "%s/" CONF, tree_path());
	chmod(path, 0666);
	assert_int_equal(cxlmem_config_load(ctx, NULL, &config), -EPERM);
	assert_contains(cxlmem_error(ctx), "is not trusted");
	drop(CONF);
	put(CONF "/file", "x");
	assert_int_equal(cxlmem_config_load(ctx, NULL, &config), -EPERM);
	cxlmem_unref(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ways_to_match),
		TEST(empty),
		TEST(settings),
		TEST(mistakes),
		TEST(syntax_errors),
		TEST(traps),
		TEST(line_in_the_right_section),
		TEST(written_by_others),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
