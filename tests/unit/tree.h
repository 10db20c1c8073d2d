/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A machine made of files, for tests: a directory that stands for "/", with a
 * fake kernel behind every write of the library.
 */
#ifndef CXLMEM_TEST_TREE_H
#define CXLMEM_TEST_TREE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* Before cmocka, which makes fail() a macro. */
#include "../../cxlmemctl/lib/private.h"

#include <cmocka.h>

#define MIB		(1ull << 20)
#define BLOCK		(128 * MIB)
#define START		0x100000000ull

/* A new empty tree for each test, and its end. */
int tree_setup(void **state);
int tree_teardown(void **state);
const char *tree_path(void);

/* Writes a file, making the directories above it. */
void put(const char *path, const char *fmt, ...) PRINTF(2, 3);
void put_link(const char *path, const char *target);
/* What is in a file, without the newline at its end; "" if there is none. */
const char *get(const char *path);
bool exists(const char *path);
/* Deletes a file or a directory with what is in it. */
void drop(const char *path);

/* Node 0 with CPUs and 2G, of which 1G are free; blocks of 128M; an empty kernel log. */
void put_machine(void);
/* cxlmemN on PCI function 0000:0d:00.N in mode "offline", 512M, node 1, serial 0x1234 + N. */
void put_device(unsigned int n);
/* Makes that device one that has mode "driver", too. */
void put_driver_mode(unsigned int n);
/* Makes it one that has mode "cma", too, in which there is a claim of process 42 by now. */
void put_cma_mode(unsigned int n);
/* A process that has this dma-buf open, of any exporter. */
void put_dmabuf(unsigned int pid, const char *command, unsigned int inode, const char *exporter);
/* Node 1 with memory that is the device's, of which so much is in use. */
void put_node1(uint64_t used);

/* If it is set, it answers what goes to ioctl(2). */
extern int (*fake_ioctl)(int fd, unsigned long request, void *arg);

struct cxlmem_ctx *tree_context(void);
struct cxlmem_device *find(struct cxlmem_ctx *ctx, const char *name);

#define assert_contains(text, part)							\
	do {										\
		if (!strstr(text, part))						\
			fail_msg("\"%s\" is not in \"%s\"", part, text);		\
	} while (0)

#define TEST(name) cmocka_unit_test_setup_teardown(name, tree_setup, tree_teardown)

#endif
