/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The model, inside. One thread does it all: it answers the client's messages and
 * in between lets the engine work on one page at a time. So no message ever finds
 * an access under way, which is what invalidations, unmapping and resets need.
 */
#ifndef T2_MODEL_H
#define T2_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "t2accel.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define PAGE		4096u
#define CONFIG_SIZE	4096
#define MAX_FDS		8
/* The most data that one message may carry; configuration space is read in one piece. */
#define MAX_DATA	65536
#define MAX_MESSAGE	(MAX_DATA + 256)

/* memory.c: what the client has of memory, and which of it is the device's own. */
struct dma_region {
	uint64_t start, size;
	uint8_t *map;			/* NULL: it cannot be reached from here */
	bool writable;
};

struct memory {
	struct dma_region *regions;
	unsigned int count;
	struct { uint64_t start, end; } poison[64];
	unsigned int poisoned;
};

/* protocol.c: the connection to the client, a vfio-user client as QEMU. */
struct protocol {
	int fd;				/* -1: closed */
	pid_t peer;
	bool greeted;
	uint8_t in[MAX_MESSAGE], out[MAX_MESSAGE];
	size_t have;			/* bytes of the message that is coming in */
	int fds[MAX_FDS];		/* that came with it; -1: taken by its handler */
	unsigned int nfds;
	int irqs[T2_VECTORS];		/* eventfds, or -1 */
};

/* config.c and doe.c */
struct config {
	uint8_t data[CONFIG_SIZE];
	uint8_t writable[CONFIG_SIZE];	/* bits that the host may write */
	uint8_t clearable[CONFIG_SIZE];	/* bits that are cleared by writing ones */
};

struct doe {
	uint32_t request[16], response[64];
	unsigned int written, read, length;	/* in words */
	bool ready, error;
};

/* component.c: BAR 0, from offset 0x1000 on. */
#define CACHE_MEM_OFFSET	0x1000
#define CACHE_MEM_SIZE		0x1000

/* translate.c */
#define TLB_ENTRIES		256

struct tlb_entry {
	bool valid, writable;
	uint32_t pasid;
	uint64_t page, target;
};

/* hot.c: counters share places, as in hardware; who comes later evicts. */
#define COUNTERS		65536

struct counter {
	uint64_t unit;
	uint32_t pasid;
	uint32_t local, remote;		/* accesses, of up to a page each */
	uint32_t towards_report;
};

/* engine.c */
struct cursor {
	uint64_t address;		/* of the data, or of the list of segments */
	uint32_t next, count;		/* the list's entries */
	struct t2_segment now;		/* what is left of the current one */
	bool list;
};

struct queue {
	uint64_t ring, done_ring;
	uint32_t size;
	bool enabled, broken;
	uint32_t given, fetched, done, taken;

	bool busy;			/* `command` is not completed yet */
	struct t2_command command;
	struct cursor src, dst;
	uint64_t bytes, result;
	bool ended;			/* all but the completion, which has no room */
	uint32_t status;
	uint32_t abort;			/* so many of the next commands are not to be started */
	bool faulted;			/* the host has been asked; `fault` is the seq */
	bool fault_waits;		/* it is to be asked, once there is room in its ring */
	uint32_t fault;
	uint64_t fault_address;
	bool fault_write;
};

struct report_ring {
	uint64_t ring;
	uint32_t size, put, taken;
};

struct engine {
	bool enabled;
	bool stuck;			/* by a test: it hangs until a function reset */
	uint32_t error;
	uint64_t error_address;
	uint64_t pasid_table;
	uint32_t pasids;
	uint64_t inv_address;
	uint32_t inv_pasid, inv_done;
	struct report_ring faults, hot;
	uint32_t hot_threshold, hot_shift, hot_dropped;
	uint64_t local_bytes, remote_bytes, model_time;
	struct queue queues[T2_QUEUES];
	struct tlb_entry tlb[TLB_ENTRIES];
	struct counter *counters;
};

/* log.c: what the engine did, in order, for tests. The last LOG_RECORDS are kept. */
#define LOG_RECORDS		65536

struct log_record {
	const char *what;
	uint32_t queue, pasid, length;
	uint64_t address, physical;
};

struct access_log {
	struct log_record *records;
	uint64_t count, shown;
};

struct t2 {
	/* As told on the command line. */
	uint64_t hdm_base, hdm_size, serial;
	bool committed;			/* the firmware has committed the decoder */

	struct protocol protocol;
	struct memory memory;
	struct config config;
	struct doe doe;
	uint32_t component[CACHE_MEM_SIZE / 4];
	struct engine engine;
	struct access_log log;
	bool link_down;			/* by a test: nothing is answered but with ones */
	bool quit;
	int exit_status;
};

struct t2 *t2_new(uint64_t hdm_base, uint64_t hdm_size, uint64_t serial, bool committed);
void t2_free(struct t2 *t);
/* What a fundamental reset (or the loss of power, but for the memory) does. */
void t2_reset(struct t2 *t);
/* Says something to the person who runs it. */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static inline uint64_t min64(uint64_t a, uint64_t b) { return a < b ? a : b; }
/* A place for a page: addresses that differ by a power of two must not meet. */
static inline uint32_t spread(uint64_t page, uint32_t pasid)
{
	return (page + ((uint64_t)pasid << 40)) * 0x9e3779b97f4a7c15ull >> 40;
}
/* Whether [start, start + size) is in [outer, outer + outer_size), without overflow. */
static inline bool within(uint64_t start, uint64_t size, uint64_t outer, uint64_t outer_size)
{
	return start >= outer && size <= outer_size && start - outer <= outer_size - size;
}

/* protocol.c */
void protocol_open(struct t2 *t, int fd);
void protocol_close(struct t2 *t);
/* Reads what there is, and answers. False: the connection is over. */
bool protocol_receive(struct t2 *t);
void interrupt(struct t2 *t, unsigned int vector);

/* memory.c; these return 0 or an error number, negative. */
int memory_map(struct t2 *t, uint64_t start, uint64_t size, uint32_t flags, int fd, uint64_t offset);
int memory_unmap(struct t2 *t, uint64_t start, uint64_t size);
void memory_unmap_all(struct t2 *t);
/* Whether all of the HDM can be reached. */
bool memory_has_hdm(const struct t2 *t);
bool is_local(const struct t2 *t, uint64_t physical);
/* Where the device finds it: T2_OK with *at set, or why not. What is asked for is in one page. */
enum t2_result memory_at(struct t2 *t, uint64_t physical, uint64_t size, bool write, void **at);
int memory_poison(struct t2 *t, uint64_t start, uint64_t size);
void memory_unpoison(struct t2 *t);

/* config.c */
void config_reset(struct t2 *t);
void config_read(struct t2 *t, uint32_t offset, uint8_t *data, uint32_t count);
void config_write(struct t2 *t, uint32_t offset, const uint8_t *data, uint32_t count);
bool config_bus_master(const struct t2 *t);
bool config_msix_enabled(const struct t2 *t);
/* Takes down an error in the AER registers. */
void config_error(struct t2 *t, bool correctable, bool fatal);
void config_set(uint8_t *at, uint32_t value, unsigned int bytes);
uint32_t config_get(const uint8_t *at, unsigned int bytes);

/* doe.c */
void doe_reset(struct t2 *t);
uint32_t doe_read(struct t2 *t, uint32_t reg);
void doe_write(struct t2 *t, uint32_t reg, uint32_t value);

/* component.c */
void component_reset(struct t2 *t);
uint32_t component_read(struct t2 *t, uint32_t offset);
void component_write(struct t2 *t, uint32_t offset, uint32_t value);
bool component_decodes(const struct t2 *t);
void component_error(struct t2 *t, bool correctable);

/* registers.c: BAR 2. */
uint32_t registers_read(struct t2 *t, uint32_t offset);
void registers_write(struct t2 *t, uint32_t offset, uint32_t value);

/* engine.c */
void engine_reset(struct t2 *t);
/* Works on a page for each queue. False: there is nothing to do until the host does something. */
bool engine_step(struct t2 *t);
bool engine_idle(const struct t2 *t);
void engine_error(struct t2 *t, uint32_t bit, uint64_t address);
uint32_t queue_state(const struct t2 *t, unsigned int q);
void queue_enable(struct t2 *t, unsigned int q, bool enable);
void queue_abort(struct t2 *t, unsigned int q);
void queue_resume(struct t2 *t, unsigned int q, uint32_t seq, bool retry);
/* Puts an entry, whose last word is its seq, into a ring of the host. */
enum t2_result ring_put(struct t2 *t, struct report_ring *ring, void *entry, size_t size);

/* translate.c: T2_FAULT if the host is to be asked. */
enum t2_result translate(struct t2 *t, uint32_t pasid, uint64_t address, bool write,
			 uint64_t *physical);
void invalidate(struct t2 *t, uint32_t pasid, uint64_t address, uint32_t pages);

/* hot.c */
void hot_count(struct t2 *t, uint32_t pasid, uint64_t address, bool local);

/* log.c */
void log_add(struct t2 *t, const char *what, uint32_t queue, uint32_t pasid,
	     uint64_t address, uint64_t physical, uint32_t length);

/* control.c: answers one line of a test; *reply is to be freed. */
char *control(struct t2 *t, const char *line);

#endif /* T2_MODEL_H */
