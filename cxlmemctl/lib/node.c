// SPDX-License-Identifier: LGPL-2.1
/* What the kernel knows about a device's NUMA node, and about the other nodes. */
#include "private.h"

#define NODES "sys/devices/system/node"

/* One amount of a node's meminfo, in bytes; 0 if it is not there. */
static uint64_t meminfo(const char *text, const char *key)
{
	size_t len = strlen(key);
	const char *at = text;
	unsigned long long kib;

	while ((at = strstr(at, key))) {
		if (at > text && at[-1] == ' ' && at[len] == ':' &&
		    sscanf(at + len + 1, "%llu kB", &kib) == 1 && kib < UINT64_MAX / 1024)
			return kib * 1024;
		at += len;
	}
	return 0;
}

static char *read_meminfo(struct cxlmem_ctx *ctx, int node)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), NODES "/node%d/meminfo", node);
	return sysfs_read_all(ctx, path, 1 << 16);
}

/* A node's counters are the device's only if all its memory is. */
static int64_t used(struct cxlmem_device *dev)
{
	uint64_t total, free_bytes;
	int64_t bytes = -1;
	char *text;

	if (!strcmp(dev->mode, "driver"))
		return dev->capacity ? (int64_t)dev->handed_out : -1;
	if (!strcmp(dev->mode, "cma"))
		return dev->unused <= dev->online ? (int64_t)(dev->online - dev->unused) : -1;
	if (!dev->online && (dev->blocks_known || strcmp(dev->mode, "system")))
		return 0;
	if (!dev->online || dev->node < 0)
		return -1;
	text = read_meminfo(dev->ctx, dev->node);
	if (!text)
		return -1;
	total = meminfo(text, "MemTotal");
	free_bytes = meminfo(text, "MemFree");
	if (total && total <= dev->online && free_bytes <= total)
		bytes = total - free_bytes;
	free(text);
	return bytes;
}

/* The distances of a node are in the order of the nodes that are online. */
void node_distances(struct cxlmem_ctx *ctx, int from, int *distance)
{
	char text[8 * MAX_NODES], *word, *save = NULL;
	struct nodes online;
	uint64_t value;
	int node = -1;

	memset(distance, 0xff, MAX_NODES * sizeof(*distance));
	if (from < 0 ||
	    sysfs_read(ctx, text, sizeof(text), NODES "/node%d/distance", from) <= 0 ||
	    sysfs_read_nodes(ctx, &online, NODES "/online"))
		return;
	for (word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		do
			node++;
		while (node < MAX_NODES && !nodes_has(&online, node));
		if (node < MAX_NODES && !parse_u64(word, 10, &value) && value < 256)
			distance[node] = value;
	}
}

static int distance(struct cxlmem_device *dev)
{
	int distances[MAX_NODES], node, best = -1;
	struct nodes cpus;

	if (sysfs_read_nodes(dev->ctx, &cpus, NODES "/has_cpu"))
		return -1;
	node_distances(dev->ctx, dev->node, distances);
	for (node = 0; node < MAX_NODES; node++)
		if (nodes_has(&cpus, node) && distances[node] >= 0 &&
		    (best < 0 || distances[node] < best))
			best = distances[node];
	return best;
}

static int64_t access_figure(struct cxlmem_device *dev, const char *name)
{
	uint64_t value;

	/* 0 stands for "the firmware does not say". */
	if (sysfs_read_number(dev->ctx, &value, NODES "/node%d/access0/initiators/%s", dev->node,
			      name) || !value || value > INT64_MAX)
		return -1;
	return value;
}

#define TIERS "sys/devices/virtual/memory_tiering"

static int has_our_node(const char *name, void *data)
{
	struct cxlmem_device *dev = data;
	struct nodes nodes;
	uint64_t tier;

	if (parse_suffix(name, "memory_tier", &tier) || tier > INT_MAX ||
	    sysfs_read_nodes(dev->ctx, &nodes, TIERS "/%s/nodelist", name) ||
	    !nodes_has(&nodes, dev->node))
		return 0;
	dev->tier = tier;
	return 1;
}

void node_read(struct cxlmem_device *dev)
{
	dev->used = used(dev);
	dev->latency = dev->bandwidth = -1;
	dev->distance = dev->tier = -1;
	if (dev->node < 0)
		return;
	dev->distance = distance(dev);
	dev->latency = access_figure(dev, "read_latency");
	dev->bandwidth = access_figure(dev, "read_bandwidth");
	sysfs_each(dev->ctx, TIERS, has_our_node, dev);
}

static bool is_device_node(struct cxlmem_ctx *ctx, int node)
{
	struct cxlmem_device *dev;

	cxlmem_device_foreach(ctx, dev)
		if (dev->node == node)
			return true;
	return false;
}

/* Far memory of other devices is not for what is driven out of this one. */
int node_hosts(struct cxlmem_ctx *ctx, struct nodes *hosts)
{
	struct nodes cpus;
	int node;

	if (sysfs_read_nodes(ctx, hosts, NODES "/has_memory") ||
	    sysfs_read_nodes(ctx, &cpus, NODES "/has_cpu"))
		return -ENOENT;
	for (node = 0; node < MAX_NODES; node++)
		if (nodes_has(hosts, node) && !nodes_has(&cpus, node) && is_device_node(ctx, node))
			hosts->bits[node / 64] &= ~(1ull << node % 64);
	return 0;
}

int node_host_available(struct cxlmem_ctx *ctx, uint64_t *bytes)
{
	uint64_t reserve = 0;
	struct nodes hosts;
	int node;

	if (node_hosts(ctx, &hosts))
		return -ENOENT;
	*bytes = 0;
	for (node = 0; node < MAX_NODES; node++) {
		char *text;

		if (!nodes_has(&hosts, node))
			continue;
		text = read_meminfo(ctx, node);
		if (!text)
			return -ENOENT;
		/* File pages and slab can make room, much as in the kernel's MemAvailable. */
		*bytes += meminfo(text, "MemFree") + meminfo(text, "Active(file)") +
			  meminfo(text, "Inactive(file)") + meminfo(text, "SReclaimable") / 2;
		free(text);
	}
	/* The kernel keeps this much for itself. */
	if (!sysfs_read_number(ctx, &reserve, "proc/sys/vm/min_free_kbytes"))
		reserve = reserve < *bytes / 1024 ? reserve * 1024 : *bytes;
	*bytes -= reserve;
	return 0;
}
