/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the fuzz targets share. A target is one file fuzz_NAME.c that feeds
 * libFuzzer's input to one thing that reads what it does not control, and
 * checks with must() what has to hold for any input. Its header says
 *
 *	runs: how many executions `make check` does, about six seconds of them
 *	length: of the longest input in bytes
 *
 * All works on a machine made of files and with the fake kernel of the unit
 * tests; nothing outside of it is written to, run or waited for, see fuzz.c.
 */
#ifndef CXLMEM_FUZZ_H
#define CXLMEM_FUZZ_H

#include "../unit/tree.h"

#define must(condition, ...)								\
	do {										\
		if (!(condition))							\
			broken(#condition, " " __VA_ARGS__);				\
	} while (0)

/* Tells what does not hold, and ends with a crash, which libFuzzer takes down. */
void __attribute__((noreturn)) broken(const char *condition, const char *fmt, ...) PRINTF(2, 3);

/* A context on an empty tree, made when first asked for. */
struct cxlmem_ctx *fuzz_context(void);
/* Writes a file of the tree. */
void put_bytes(const char *path, const void *data, size_t size);
/* The input as a string in a buffer of its own size, so that ASan sees the end. Freed by caller. */
char *to_string(const uint8_t *data, size_t size);

/* Runs cxlmemctl in this process; what it prints stays valid until the next run. */
struct printed {
	char *out;
	char *err;
};

int run_tool(int argc, char **argv, struct printed *printed);
/* All JSON in what was printed can be read again and has the members that cxlmemctl(1) names. */
void check_json(const struct printed *printed);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
