// SPDX-License-Identifier: GPL-2.0
/*
 * The engine: takes commands out of its queues and works on them, one page of
 * each queue at a time. An access that needs the host's help leaves its command
 * where it is, and the other queues go on.
 */
#include <string.h>

#include "model.h"

/* What such a device's accesses might take: a start, and then each 64 bytes. */
#define LOCAL_NS	100
#define LOCAL_LINE_NS	1
#define REMOTE_NS	600
#define REMOTE_LINE_NS	8

/* One side of a command's work: where the next piece of it is. */
struct piece {
	uint64_t address, physical;
	uint32_t pasid;
	void *at;
};

static uint32_t crc32c(uint32_t crc, const uint8_t *data, size_t size)
{
	static uint32_t table[256];

	/* Filled at the first use. */
	for (uint32_t n = 0; !table[255] && n < 256; n++) {
		uint32_t c = n;

		for (int bit = 0; bit < 8; bit++)
			c = c >> 1 ^ (c & 1 ? 0x82f63b78 : 0);
		table[n] = c;
	}
	while (size--)
		crc = crc >> 8 ^ table[(crc ^ *data++) & 0xff];
	return crc;
}

void engine_reset(struct t2 *t)
{
	struct counter *counters = t->engine.counters;

	memset(&t->engine, 0, sizeof(t->engine));
	memset(counters, 0, COUNTERS * sizeof(*counters));
	t->engine.counters = counters;
	t->engine.hot_shift = 12;
	log_add(t, "reset", 0, 0, 0, 0, 0);
}

void engine_error(struct t2 *t, uint32_t bit, uint64_t address)
{
	bool new = !(t->engine.error & bit);

	t->engine.error |= bit;
	t->engine.error_address = address;
	if (new)
		interrupt(t, T2_VECTOR_ERROR);
}

/* Writes entry number `number` of a ring, its seq (the last word) after all the rest. */
static enum t2_result put_entry(struct t2 *t, uint64_t ring, uint32_t entries, uint32_t number,
				void *entry, size_t size)
{
	uint64_t to = ring + (uint64_t)(number % entries) * size;
	size_t rest = size - sizeof(uint32_t);
	enum t2_result rc;
	void *at;

	rc = to % size ? T2_NO_MEMORY : memory_at(t, to, size, true, &at);
	if (rc) {
		engine_error(t, T2_ERROR_RING, to);
		return rc;
	}
	memcpy(at, entry, rest);
	__atomic_store_n((uint32_t *)((uint8_t *)at + rest), number + 1, __ATOMIC_RELEASE);
	return T2_OK;
}

enum t2_result ring_put(struct t2 *t, struct report_ring *ring, void *entry, size_t size)
{
	enum t2_result rc = put_entry(t, ring->ring, ring->size, ring->put, entry, size);

	if (!rc)
		ring->put++;
	return rc;
}

static void end(struct queue *q, enum t2_result status)
{
	q->ended = true;
	q->status = status;
	q->faulted = q->fault_waits = false;
}

/* False: there is no room yet. */
static bool complete(struct t2 *t, unsigned int i)
{
	struct queue *q = &t->engine.queues[i];
	struct t2_completion completion = {
		.cookie = q->command.cookie,
		.result = q->result,
		.bytes = q->bytes,
		.status = q->status,
	};

	if (q->done - q->taken >= q->size)
		return false;
	if (put_entry(t, q->done_ring, q->size, q->done, &completion, sizeof(completion))) {
		q->broken = true;
		return false;
	}
	q->done++;
	q->busy = q->ended = false;
	log_add(t, "done", i, q->command.pasid, q->command.cookie, 0, q->status);
	if (q->status || q->command.flags & T2_INTERRUPT)
		interrupt(t, T2_VECTOR_QUEUE(i));
	return true;
}

/* False: its ring is full. */
static bool ask_host(struct t2 *t, unsigned int i)
{
	struct queue *q = &t->engine.queues[i];
	struct report_ring *ring = &t->engine.faults;
	struct t2_fault fault = {
		.address = q->fault_address & ~(PAGE - 1ull),
		.cookie = q->command.cookie,
		.pasid = q->command.pasid,
		.queue = i,
		.flags = q->fault_write ? T2_FAULT_WRITE : 0,
	};

	q->fault_waits = ring->size && ring->put - ring->taken >= ring->size;
	if (q->fault_waits)
		return false;
	if (!ring->size || ring_put(t, ring, &fault, sizeof(fault))) {
		end(q, T2_FAULT);
		return true;
	}
	q->faulted = true;
	q->fault = ring->put;
	log_add(t, "fault", i, fault.pasid, fault.address, 0, fault.flags);
	interrupt(t, T2_VECTOR_FAULT);
	return true;
}

void queue_resume(struct t2 *t, unsigned int i, uint32_t seq, bool retry)
{
	struct queue *q = &t->engine.queues[i];

	/* An answer to a fault of a command that was aborted is none to this one's. */
	if (!q->faulted || q->fault != seq)
		return;
	q->faulted = false;
	if (!retry)
		end(q, T2_FAULT);
	log_add(t, retry ? "resume" : "refuse", i, q->command.pasid, q->fault_address, 0, 0);
}

/* Makes an address of a command into a piece of memory, within a page. */
static enum t2_result find(struct t2 *t, struct queue *q, bool virtual, uint64_t address,
			   uint64_t size, bool write, struct piece *piece)
{
	enum t2_result rc = T2_OK;

	piece->address = piece->physical = address;
	piece->pasid = virtual ? q->command.pasid : T2_NO_PASID;
	if (virtual)
		rc = translate(t, q->command.pasid, address, write, &piece->physical);
	if (rc == T2_FAULT) {
		q->fault_address = address;
		q->fault_write = write;
	}
	return rc ? rc : memory_at(t, piece->physical, size, write, &piece->at);
}

/* Has the cursor stand at a segment with something left in it. */
static enum t2_result next_segment(struct t2 *t, struct queue *q, struct cursor *c, bool virtual)
{
	uint64_t at = c->address + (uint64_t)c->next * sizeof(c->now);
	struct piece piece;
	enum t2_result rc;

	if (c->now.length)
		return T2_OK;
	if (c->next == c->count || at % sizeof(c->now))
		return T2_BAD_COMMAND;
	rc = find(t, q, virtual, at, sizeof(c->now), false, &piece);
	if (rc)
		return rc;
	memcpy(&c->now, piece.at, sizeof(c->now));
	c->next++;
	return c->now.length ? T2_OK : T2_BAD_COMMAND;
}

/* The next piece of one side; shortens *size to what can be had in one page. */
static enum t2_result next_piece(struct t2 *t, struct queue *q, struct cursor *c, uint64_t *size)
{
	bool virtual = q->command.flags & (c == &q->src ? T2_SRC_VIRTUAL : T2_DST_VIRTUAL);
	enum t2_result rc = next_segment(t, q, c, virtual);

	*size = min64(*size, min64(c->now.length, PAGE - c->now.address % PAGE));
	return rc;
}

static void advance(struct t2 *t, unsigned int i, struct cursor *c, const struct piece *piece,
		    uint64_t size, bool write)
{
	bool local = is_local(t, piece->physical);
	struct engine *e = &t->engine;
	uint64_t lines = (size + 63) / 64;

	c->now.address += size;
	c->now.length -= size;
	e->model_time += local ? LOCAL_NS + lines * LOCAL_LINE_NS : REMOTE_NS + lines * REMOTE_LINE_NS;
	*(local ? &e->local_bytes : &e->remote_bytes) += size;
	log_add(t, write ? "write" : "read", i, piece->pasid, piece->address, piece->physical, size);
	hot_count(t, piece->pasid, piece->address, local);
}

static void fill(uint8_t *to, uint64_t size, uint64_t pattern, uint64_t done)
{
	for (uint64_t n = 0; n < size; n++)
		to[n] = pattern >> 8 * ((done + n) % 8);
}

/* The operation itself, on a piece of each side that it has. */
static enum t2_result operate(struct queue *q, const struct piece *src, const struct piece *dst,
			      uint64_t size)
{
	const struct t2_command *c = &q->command;
	uint64_t *words = dst->at, expected = c->compare;

	switch (c->op) {
	case T2_OP_FILL:
		fill(dst->at, size, c->operand, q->bytes);
		break;
	case T2_OP_COPY:
		memmove(dst->at, src->at, size);
		break;
	case T2_OP_CHECKSUM:
		q->result = crc32c(q->bytes ? q->result ^ ~0u : ~0u, src->at, size) ^ ~0u;
		break;
	case T2_OP_COMPARE_SWAP:
	case T2_OP_ADD:
		if ((dst->physical | size) % sizeof(*words))
			return T2_BAD_COMMAND;
		if (c->op == T2_OP_COMPARE_SWAP) {
			__atomic_compare_exchange_n(words, &expected, c->operand, false,
						    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
			q->result = expected;
			break;
		}
		for (uint64_t n = 0; n < size / sizeof(*words); n++) {
			uint64_t before = __atomic_fetch_add(&words[n], c->operand, __ATOMIC_SEQ_CST);

			if (!q->bytes && !n)
				q->result = before;
		}
		break;
	default:
		return T2_BAD_COMMAND;
	}
	return T2_OK;
}

/* Works on one page. Returns T2_OK as long as the command is to go on. */
static enum t2_result work(struct t2 *t, unsigned int i)
{
	struct queue *q = &t->engine.queues[i];
	const struct t2_command *c = &q->command;
	bool has_src = c->op == T2_OP_COPY || c->op == T2_OP_CHECKSUM;
	bool has_dst = c->op != T2_OP_CHECKSUM;
	/* What a side is that the command does not have. */
	static uint64_t nothing[PAGE / sizeof(uint64_t)];
	struct piece src = { .at = nothing }, dst = { .at = nothing };
	uint64_t size = c->length - q->bytes;
	enum t2_result rc = T2_OK;

	/* Both sides before anything is done: a fault must leave no half of it. */
	if (has_src)
		rc = next_piece(t, q, &q->src, &size);
	if (has_dst && !rc)
		rc = next_piece(t, q, &q->dst, &size);
	if (has_src && !rc)
		rc = find(t, q, c->flags & T2_SRC_VIRTUAL, q->src.now.address, size, false, &src);
	if (has_dst && !rc)
		rc = find(t, q, c->flags & T2_DST_VIRTUAL, q->dst.now.address, size, true, &dst);
	if (!rc)
		rc = operate(q, &src, &dst, size);
	if (rc)
		return rc;
	if (has_src)
		advance(t, i, &q->src, &src, size, false);
	if (has_dst)
		advance(t, i, &q->dst, &dst, size, true);
	q->bytes += size;
	return T2_OK;
}

static void start_cursor(struct cursor *c, bool list, uint64_t address, uint32_t count,
			 uint64_t length)
{
	*c = (struct cursor) { .list = list, .address = address };
	if (list)
		c->count = count;
	else
		c->now = (struct t2_segment) { .address = address, .length = length };
}

static bool understood(const struct t2_command *c)
{
	return c->op <= T2_OP_ADD && !c->reserved && c->flags < T2_INTERRUPT << 1 &&
	       (c->op != T2_OP_COMPARE_SWAP || c->length == sizeof(uint64_t));
}

static void fetch(struct t2 *t, unsigned int i)
{
	struct queue *q = &t->engine.queues[i];
	struct t2_command *c = &q->command;
	uint64_t from = q->ring + (uint64_t)(q->fetched % q->size) * sizeof(*c);
	void *at;

	if (memory_at(t, from, sizeof(*c), false, &at)) {
		engine_error(t, T2_ERROR_RING, from);
		q->broken = true;
		return;
	}
	/* A copy: whatever the host does to the ring from now on, this is what was checked. */
	memcpy(c, at, sizeof(*c));
	q->fetched++;
	q->busy = true;
	q->ended = false;
	q->bytes = q->result = 0;
	start_cursor(&q->src, c->flags & T2_SRC_LIST, c->src, c->src_count, c->length);
	start_cursor(&q->dst, c->flags & T2_DST_LIST, c->dst, c->dst_count, c->length);
	if (q->abort) {
		q->abort--;
		end(q, T2_ABORTED);
	} else if (!understood(c)) {
		end(q, T2_BAD_COMMAND);
	}
}

/* Does a little for a queue. False: it waits for the host, or has nothing to do. */
static bool queue_step(struct t2 *t, unsigned int i)
{
	struct queue *q = &t->engine.queues[i];
	enum t2_result rc;

	if (!q->enabled || q->broken || q->faulted)
		return false;
	if (q->ended)
		return complete(t, i);
	if (q->fault_waits)
		return ask_host(t, i);
	if (!q->busy) {
		if (q->given == q->fetched)
			return false;
		fetch(t, i);
		return true;
	}
	if (q->command.op == T2_OP_NOP || q->bytes == q->command.length) {
		end(q, T2_OK);
		return true;
	}
	rc = work(t, i);
	if (rc == T2_FAULT)
		return ask_host(t, i);
	if (rc)
		end(q, rc);
	return true;
}

bool engine_step(struct t2 *t)
{
	bool progress = false;

	if (!t->engine.enabled || t->engine.stuck || t->link_down)
		return false;
	for (unsigned int i = 0; i < T2_QUEUES; i++)
		progress |= queue_step(t, i);
	return progress;
}

uint32_t queue_state(const struct t2 *t, unsigned int i)
{
	const struct queue *q = &t->engine.queues[i];

	if (q->broken)
		return T2_QUEUE_BROKEN;
	if (q->faulted || q->fault_waits)
		return T2_QUEUE_FAULTED;
	if (q->ended && q->done - q->taken >= q->size)
		return T2_QUEUE_FULL;
	return q->busy || q->given != q->fetched ? T2_QUEUE_RUNNING : T2_QUEUE_IDLE;
}

bool engine_idle(const struct t2 *t)
{
	if (t->engine.stuck)
		return false;
	if (!t->engine.enabled)
		return true;
	for (unsigned int i = 0; i < T2_QUEUES; i++)
		if (queue_state(t, i) == T2_QUEUE_RUNNING)
			return false;
	return true;
}

void queue_enable(struct t2 *t, unsigned int i, bool enable)
{
	struct queue *q = &t->engine.queues[i];

	/* What is stuck lets go of nothing, but its registers can be written to. */
	if (enable == q->enabled || (t->engine.stuck && q->enabled))
		return;
	*q = (struct queue) { .ring = q->ring, .done_ring = q->done_ring, .size = q->size };
	q->enabled = enable && q->size;
	q->broken = q->enabled && q->ring % sizeof(struct t2_command);
}

void queue_abort(struct t2 *t, unsigned int i)
{
	struct queue *q = &t->engine.queues[i];

	if (t->engine.stuck || !q->enabled)
		return;
	q->abort = q->given - q->fetched;
	if (q->busy && !q->ended)
		end(q, T2_ABORTED);
}
