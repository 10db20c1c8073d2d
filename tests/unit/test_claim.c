// SPDX-License-Identifier: GPL-2.0
/* Claims by the library: what the driver is asked, and how a refusal is explained. */
#include "tree.h"

static int answer;			/* an error number, or 0 */
static struct cxlmem_buffer asked;

static int claim_ioctl(int fd, unsigned long request, void *arg)
{
	struct cxlmem_buffer *buffer = arg;

	(void)fd;
	assert_int_equal(request, CXLMEM_IOC_CLAIM);
	asked = *buffer;
	buffer->fd = -1;
	buffer->obstacle = 0x123000;
	if (answer) {
		errno = answer;
		return -1;
	}
	buffer->fd = 99;
	buffer->offset = 2 * MIB;
	return 0;
}

static struct cxlmem_device *cma_device(struct cxlmem_ctx **ctx)
{
	put_machine();
	put_device(0);
	put_cma_mode(0);
	put("sys/class/cxlmem/cxlmem0/mode", "cma\n");
	put("dev/cxlmem0", "%s", "");
	*ctx = tree_context();
	fake_ioctl = claim_ioctl;
	return find(*ctx, "cxlmem0");
}

static void done(void **state)
{
	struct cxlmem_buffer buffer = {
		.size = sizeof(buffer), .length = 5 * MIB, .align = 4 * MIB,
		.flags = CXLMEM_CLAIM_WAIT };
	struct cxlmem_ctx *ctx;
	struct cxlmem_device *dev = cma_device(&ctx);

	(void)state;
	answer = 0;
	assert_int_equal(cxlmem_device_claim(dev, &buffer), 99);
	assert_int_equal(asked.length, 5 * MIB);
	assert_int_equal(asked.align, 4 * MIB);
	assert_int_equal(asked.flags, CXLMEM_CLAIM_WAIT);
	assert_int_equal(buffer.offset, 2 * MIB);
	cxlmem_unref(ctx);
}

static void refusals(void **state)
{
	static const struct {
		int error;
		const char *text;
	} cases[] = {
		{ ENOSPC, "cxlmem0 has no contiguous piece of 8M between the claims, the longest is 256M" },
		{ EADDRINUSE, "cannot be moved, such as at 0x100123000" },
		{ EAGAIN, "without --try" },
		{ EDQUOT, "all of cxlmem0 that a user may have" },
		{ ENOMEM, "no room for what the system has on cxlmem0" },
		{ EBUSY, "not in mode cma, or is just leaving it" },
		{ EINTR, "stopped; nothing has been claimed" },
		{ EINVAL, "more than 0 bytes" },
		{ EMFILE, "cannot claim 8M of cxlmem0: Too many open files" },
	};
	struct cxlmem_ctx *ctx;
	struct cxlmem_device *dev = cma_device(&ctx);
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cxlmem_buffer buffer = { .size = sizeof(buffer), .length = 8 * MIB };

		answer = cases[i].error;
		assert_int_equal(cxlmem_device_claim(dev, &buffer), -cases[i].error);
		assert_contains(cxlmem_error(ctx), cases[i].text);
	}
	cxlmem_unref(ctx);
}

/* Nothing is asked of the driver then. */
static void not_asked(void **state)
{
	struct cxlmem_buffer buffer = { .length = 8 * MIB };
	struct cxlmem_ctx *ctx;
	struct cxlmem_device *dev = cma_device(&ctx);

	(void)state;
	fake_ioctl = NULL;
	assert_int_equal(cxlmem_device_claim(dev, &buffer), -EINVAL);
	buffer.size = sizeof(buffer);
	drop("dev/cxlmem0");
	assert_int_equal(cxlmem_device_claim(dev, &buffer), -ENOENT);
	put("sys/class/cxlmem/cxlmem0/mode", "offline\n");
	cxlmem_device_refresh(dev);
	assert_int_equal(cxlmem_device_claim(dev, &buffer), -EBUSY);
	assert_contains(cxlmem_error(ctx), "cxlmem0 is in mode offline");
	cxlmem_unref(ctx);
}

static void amounts(void **state)
{
	struct cxlmem_ctx *ctx;
	struct cxlmem_device *dev = cma_device(&ctx);

	(void)state;
	put("sys/class/cxlmem/cxlmem0/cma/taking", "33554432\n");
	assert_int_equal(cxlmem_device_refresh(dev), 0);
	assert_int_equal(cxlmem_device_get_claimed(dev), 64 * MIB);
	assert_int_equal(cxlmem_device_get_taking(dev), 32 * MIB);
	/* More than the device has. */
	put("sys/class/cxlmem/cxlmem0/cma/taking", "999999999999\n");
	cxlmem_device_refresh(dev);
	assert_int_equal(cxlmem_device_get_taking(dev), 0);
	cxlmem_unref(ctx);
}

static int count(const struct cxlmem_claim *claim, void *data)
{
	(void)claim;
	++*(int *)data;
	return 0;
}

/* What the kernel says may make no sense. */
static void nonsense(void **state)
{
	struct cxlmem_ctx *ctx;
	struct cxlmem_device *dev = cma_device(&ctx);
	int n = 0;

	(void)state;
	put("sys/class/cxlmem/cxlmem0/cma/claims",
	    "\n17\n17 0x0\nx y z\n18 0x0 2097152 0 1 a b\n-1 -1 -1 -1 -1\n");
	put("proc/7/fdinfo/0", "ino:\nexp_name:\n");
	put("proc/7/maps", "junk /dmabuf:\n \n");
	assert_int_equal(cxlmem_device_claims(dev, count, &n), 0);
	assert_in_range(n, 1, 2);
	cxlmem_unref(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(done),
		TEST(refusals),
		TEST(not_asked),
		TEST(amounts),
		TEST(nonsense),
	};

	return cmocka_run_group_tests_name("claim", tests, NULL, NULL);
}
