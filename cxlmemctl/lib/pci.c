// SPDX-License-Identifier: LGPL-2.1
/* Giving a PCI function with CXL memory to the driver cxlmem_pci, and back. */
#include <fcntl.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "private.h"

#define DRIVER	"cxlmem_pci"
#define BUS	"sys/bus/pci"

/* CXL 3.1, 8.1.3: the DVSEC for CXL devices. */
#define CXL_VENDOR		0x1e98
#define CXL_DVSEC_DEVICE	0
#define CXL_DVSEC_CAPABILITY	0x0a
#define CXL_CAPABILITY_MEM	(1 << 2)

#define CONFIG_SIZE 4096

static uint32_t read32(const unsigned char *config, unsigned int at)
{
	return config[at] | config[at + 1] << 8 | config[at + 2] << 16 |
	       (uint32_t)config[at + 3] << 24;
}

/* Whether the configuration space shows a function with CXL.mem; broken chains show none. */
static bool has_cxl_mem(const unsigned char *config, size_t size)
{
	unsigned int at = PCI_CFG_SPACE_SIZE, hops;

	/* More hops than there is room for mean a loop. */
	for (hops = 0; hops < CONFIG_SIZE / 8; hops++) {
		uint32_t header;

		if (at < PCI_CFG_SPACE_SIZE || at + 16 > size)
			return false;
		header = read32(config, at);
		if (PCI_EXT_CAP_ID(header) == PCI_EXT_CAP_ID_DVSEC &&
		    (read32(config, at + PCI_DVSEC_HEADER1) & 0xffff) == CXL_VENDOR &&
		    (read32(config, at + PCI_DVSEC_HEADER2) & 0xffff) == CXL_DVSEC_DEVICE)
			return config[at + CXL_DVSEC_CAPABILITY] & CXL_CAPABILITY_MEM;
		at = PCI_EXT_CAP_NEXT(header);
	}
	return false;
}

int pci_has_memory(struct cxlmem_ctx *ctx, const char *pci)
{
	unsigned char config[CONFIG_SIZE];
	char path[PATH_MAX];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), BUS "/devices/%s/config", pci);
	fd = openat(ctx->root, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = read(fd, config, sizeof(config));
	if (len < 0)
		len = -errno;
	close(fd);
	return len < 0 ? (int)len : has_cxl_mem(config, len);
}

static int check_function(struct transition *t, const char *pci)
{
	int rc;

	if (!sysfs_exists(t->ctx, BUS "/devices/%s", pci))
		return fail(t->ctx, ENODEV, "there is no PCI function %s; \"lspci\" lists them",
			    pci);
	rc = pci_has_memory(t->ctx, pci);
	if (rc < 0)
		return fail(t->ctx, -rc, "cannot read the configuration space of %s: %s", pci,
			    strerror(-rc));
	if (!rc)
		return fail(t->ctx, EOPNOTSUPP,
			    "the PCI function %s has no CXL memory (no CXL DVSEC that says Mem_Capable)",
			    pci);
	return 0;
}

/* Memory that the kernel's own CXL stack has made a region of is in use. */
static int check_regions(struct transition *t, const char *pci)
{
	char region[NAME_LEN];
	int rc = region_of_function(t->ctx, pci, region, sizeof(region));

	if (rc <= 0)
		return rc;
	return fail(t->ctx, EBUSY,
		    "the memory of %s belongs to the active CXL region %s; release it first: cxl disable-region %s && cxl destroy-region %s",
		    pci, region, region, region);
}

static int current_driver(struct transition *t, const char *pci, char *driver, size_t size)
{
	driver[0] = '\0';
	return sysfs_link(t->ctx, driver, size, BUS "/devices/%s/driver", pci);
}

static int write_driver(struct transition *t, const char *driver, const char *attr,
			const char *pci)
{
	return sysfs_write(t->ctx, pci, BUS "/drivers/%s/%s", driver, attr);
}

/* Back to the former driver; what cannot be done is no worse than what led here. */
static void give_back(struct transition *t, const char *pci, const char *former)
{
	sysfs_write(t->ctx, "\n", BUS "/devices/%s/driver_override", pci);
	if (former[0])
		write_driver(t, former, "bind", pci);
}

static int finish(struct transition *t, const char *pci, int result)
{
	struct cxlmem_device *dev = device_of(t->ctx, pci);
	int rc;

	if (!dev)
		return fail(t->ctx, ENODEV, "the driver %s has made no memory device of %s", DRIVER,
			    pci);
	rc = adopt_device(t, dev, t->opt.node);
	return rc ? rc : result;
}

int pci_bind(struct transition *t, const char *pci)
{
	char former[NAME_LEN], now[NAME_LEN];
	struct cxlmem_device *dev;
	int rc;

	rc = check_function(t, pci);
	if (rc)
		return rc;
	current_driver(t, pci, former, sizeof(former));
	if (!strcmp(former, DRIVER))
		return finish(t, pci, CXLMEM_ALREADY);
	rc = cxlmem_rescan(t->ctx);
	if (rc)
		return rc;
	dev = device_of(t->ctx, pci);
	if (dev)
		return fail(t->ctx, EBUSY,
			    "the memory of %s is %s already, by the function's own driver %s; modes are switched there",
			    pci, dev->name, former);
	rc = check_regions(t, pci);
	if (rc)
		return rc;
	if (dry_run(t)) {
		event_text(t, CXLMEM_EVENT_STEP, "would take %s from the driver %s and give it to %s",
			   pci, former[0] ? former : "(none)", DRIVER);
		return 0;
	}
	rc = module_load(t->ctx, DRIVER);
	if (rc)
		return rc;

	rc = sysfs_write(t->ctx, DRIVER, BUS "/devices/%s/driver_override", pci);
	if (rc)
		return fail(t->ctx, -rc, "%s: cannot set driver_override: %s", pci, strerror(-rc));
	if (former[0]) {
		event_text(t, CXLMEM_EVENT_STEP, "taking %s from the driver %s", pci, former);
		rc = write_driver(t, former, "unbind", pci);
		if (rc) {
			sysfs_write(t->ctx, "\n", BUS "/devices/%s/driver_override", pci);
			return fail(t->ctx, -rc, "the driver %s does not let go of %s: %s", former,
				    pci, strerror(-rc));
		}
	}
	sysfs_write(t->ctx, pci, BUS "/drivers_probe");
	current_driver(t, pci, now, sizeof(now));
	if (strcmp(now, DRIVER)) {
		event_kernel_log(t, pci, DRIVER);
		give_back(t, pci, former);
		return fail(t->ctx, ENXIO,
			    "the driver %s does not take %s; its reason is in the kernel's log%s%s",
			    DRIVER, pci, former[0] ? ", and the function is back with " : "",
			    former);
	}
	rc = cxlmem_rescan(t->ctx);
	if (!rc)
		rc = finish(t, pci, CXLMEM_DONE);
	if (rc < 0) {
		write_driver(t, DRIVER, "unbind", pci);
		give_back(t, pci, former);
	}
	return rc;
}

int pci_unbind(struct transition *t)
{
	char pci[NAME_LEN];
	int rc;

	strcpy(pci, t->dev->parent);
	sysfs_write(t->ctx, "\n", BUS "/devices/%s/driver_override", pci);
	rc = write_driver(t, DRIVER, "unbind", pci);
	if (rc)
		return fail(t->ctx, -rc, "the driver %s does not let go of %s: %s", DRIVER, pci,
			    strerror(-rc));
	/* No driver may want it, which is fine. */
	sysfs_write(t->ctx, pci, BUS "/drivers_probe");
	return 0;
}
