// SPDX-License-Identifier: GPL-2.0
/*
 * Plays the firmware: commits HDM decoder 0 of a CXL function through its
 * component registers (BAR 0), or shows or clears it. Also that of a host bridge, whose
 * registers are in memory where the CEDT says.
 *
 *	hdm PCIADDR|bridge show
 *	hdm PCIADDR|bridge commit BASE SIZE
 *	hdm PCIADDR|bridge clear
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CACHE_MEM	0x1000	/* the capability array, in the component registers */
#define CAP_HDM		5
#define GLOBAL		0x04
#define BASE		0x10
#define SIZE		0x18
#define CONTROL		0x20
#define COMMIT		(1u << 9)
#define COMMITTED	(1u << 10)

static void *map_function(const char *function)
{
	char path[128];
	void *regs;
	int fd;

	/* A driver has enabled the function already, and the kernel minds us doing it. */
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/enable", function);
	fd = open(path, O_WRONLY);
	if (fd < 0 || (write(fd, "1", 1) != 1 && errno != EBUSY))
		err(1, "%s", path);
	close(fd);

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource0", function);
	fd = open(path, O_RDWR | O_SYNC);
	if (fd < 0)
		err(1, "%s", path);
	regs = mmap(NULL, 0x2000, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (regs == MAP_FAILED)
		err(1, "mmap %s", path);
	return regs;
}

/* Of the first host bridge: a table's header is 36 bytes, and CHBS is first in it. */
static void *map_bridge(void)
{
	int table = open("/sys/firmware/acpi/tables/CEDT", O_RDONLY);
	int memory = open("/dev/mem", O_RDWR | O_SYNC);
	uint8_t type;
	uint64_t base;
	void *regs;

	if (table < 0 || pread(table, &type, 1, 36) != 1 || type ||
	    pread(table, &base, sizeof(base), 36 + 16) != sizeof(base))
		errx(1, "the CEDT names no host bridge first");
	regs = mmap(NULL, 0x2000, PROT_READ | PROT_WRITE, MAP_SHARED, memory, base);
	if (regs == MAP_FAILED)
		err(1, "/dev/mem at %#llx", (unsigned long long)base);
	return regs;
}

static volatile uint32_t *map_decoder(const char *whose)
{
	volatile uint32_t *regs = strcmp(whose, "bridge") ? map_function(whose) : map_bridge();
	uint32_t i;

	regs += CACHE_MEM / 4;
	for (i = 1; i <= regs[0] >> 24; i++)
		if ((regs[i] & 0xffff) == CAP_HDM)
			return regs + (regs[i] >> 20) / 4;
	errx(1, "%s has no HDM decoder", whose);
}

int main(int argc, char **argv)
{
	volatile uint32_t *hdm;

	if (argc < 3)
		errx(2, "usage: hdm PCIADDR|bridge show|clear|commit BASE SIZE");
	hdm = map_decoder(argv[1]);

	if (!strcmp(argv[2], "clear")) {
		hdm[CONTROL / 4] = 0;
	} else if (!strcmp(argv[2], "commit") && argc == 5) {
		uint64_t base = strtoull(argv[3], NULL, 0), size = strtoull(argv[4], NULL, 0);

		hdm[CONTROL / 4] = 0;
		hdm[BASE / 4] = base;
		hdm[BASE / 4 + 1] = base >> 32;
		hdm[SIZE / 4] = size;
		hdm[SIZE / 4 + 1] = size >> 32;
		hdm[GLOBAL / 4] |= 2;
		hdm[CONTROL / 4] = COMMIT;
		if (!(hdm[CONTROL / 4] & COMMITTED))
			errx(1, "the decoder did not commit: control %#x", hdm[CONTROL / 4]);
	} else if (strcmp(argv[2], "show")) {
		errx(2, "usage: hdm PCIADDR|bridge show|clear|commit BASE SIZE");
	}
	printf("%s base %#llx size %#llx\n",
	       hdm[CONTROL / 4] & COMMITTED ? "committed" : "open",
	       (unsigned long long)hdm[BASE / 4 + 1] << 32 | hdm[BASE / 4],
	       (unsigned long long)hdm[SIZE / 4 + 1] << 32 | hdm[SIZE / 4]);
	return 0;
}
