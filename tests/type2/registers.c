// SPDX-License-Identifier: GPL-2.0
/* BAR 2: what the words of t2accel.h stand for. */
#include <string.h>

#include "model.h"

/* Half of a 64-bit value: the one at `base`, of which the word at `offset` is asked for. */
static uint32_t half(uint64_t value, uint32_t offset, uint32_t base)
{
	return offset == base ? value : value >> 32;
}

static void set_half(uint64_t *value, uint32_t offset, uint32_t base, uint32_t word)
{
	if (offset == base)
		*value = (*value & ~0xffffffffull) | word;
	else
		*value = (*value & 0xffffffffull) | (uint64_t)word << 32;
}

/* A ring's size: a power of two, or no ring. */
static uint32_t ring_size(uint32_t value)
{
	return value <= T2_RING_MAX && !(value & (value - 1)) ? value : 0;
}

static uint32_t queue_read(struct t2 *t, unsigned int i, uint32_t at)
{
	const struct queue *q = &t->engine.queues[i];

	switch (at) {
	case T2_QUEUE_RING: case T2_QUEUE_RING + 4:
		return half(q->ring, at, T2_QUEUE_RING);
	case T2_QUEUE_DONE_RING: case T2_QUEUE_DONE_RING + 4:
		return half(q->done_ring, at, T2_QUEUE_DONE_RING);
	case T2_QUEUE_SIZE:
		return q->size;
	case T2_QUEUE_CTRL:
		return q->enabled ? T2_QUEUE_ENABLE : 0;
	case T2_QUEUE_GIVEN:
		return q->given;
	case T2_QUEUE_TAKEN:
		return q->taken;
	case T2_QUEUE_FETCHED:
		return q->fetched;
	case T2_QUEUE_STATE:
		return queue_state(t, i);
	default:
		return 0;
	}
}

static void queue_write(struct t2 *t, unsigned int i, uint32_t at, uint32_t value)
{
	struct queue *q = &t->engine.queues[i];

	switch (at) {
	case T2_QUEUE_RING: case T2_QUEUE_RING + 4:
		if (!q->enabled)
			set_half(&q->ring, at, T2_QUEUE_RING, value);
		break;
	case T2_QUEUE_DONE_RING: case T2_QUEUE_DONE_RING + 4:
		if (!q->enabled)
			set_half(&q->done_ring, at, T2_QUEUE_DONE_RING, value);
		break;
	case T2_QUEUE_SIZE:
		if (!q->enabled)
			q->size = ring_size(value);
		break;
	case T2_QUEUE_CTRL:
		if (value & T2_QUEUE_ABORT)
			queue_abort(t, i);
		queue_enable(t, i, value & T2_QUEUE_ENABLE);
		break;
	case T2_QUEUE_GIVEN:
		/*
		 * More than there is room for would be the same commands again; and a queue
		 * that is off may get another size yet.
		 */
		if (q->enabled && value - q->fetched <= q->size)
			q->given = value;
		break;
	case T2_QUEUE_TAKEN:
		if (value - q->taken <= q->done - q->taken)
			q->taken = value;
		break;
	case T2_QUEUE_RESUME:
		queue_resume(t, i, value, true);
		break;
	case T2_QUEUE_REFUSE:
		queue_resume(t, i, value, false);
		break;
	default:
		break;
	}
}

uint32_t registers_read(struct t2 *t, uint32_t offset)
{
	const struct engine *e = &t->engine;

	if (offset >= T2_QUEUE(0) && offset < T2_QUEUE(T2_QUEUES))
		return queue_read(t, (offset - T2_QUEUE(0)) / 0x40, offset % 0x40);
	switch (offset) {
	case T2_ID:
		return T2_ID_VALUE;
	case T2_VERSION:
		return 1;
	case T2_CTRL:
		return e->enabled ? T2_CTRL_ENABLE : 0;
	case T2_STATUS:
		return engine_idle(t) ? T2_STATUS_IDLE : 0;
	case T2_ERROR:
		return e->error;
	case T2_ERROR_ADDR: case T2_ERROR_ADDR + 4:
		return half(e->error_address, offset, T2_ERROR_ADDR);
	case T2_PASID_TABLE: case T2_PASID_TABLE + 4:
		return half(e->pasid_table, offset, T2_PASID_TABLE);
	case T2_PASIDS:
		return e->pasids;
	case T2_INV_DONE:
		return e->inv_done;
	case T2_FAULT_RING: case T2_FAULT_RING + 4:
		return half(e->faults.ring, offset, T2_FAULT_RING);
	case T2_FAULT_SIZE:
		return e->faults.size;
	case T2_FAULT_TAKEN:
		return e->faults.taken;
	case T2_HOT_RING: case T2_HOT_RING + 4:
		return half(e->hot.ring, offset, T2_HOT_RING);
	case T2_HOT_SIZE:
		return e->hot.size;
	case T2_HOT_TAKEN:
		return e->hot.taken;
	case T2_HOT_THRESHOLD:
		return e->hot_threshold;
	case T2_HOT_SHIFT:
		return e->hot_shift;
	case T2_HOT_DROPPED:
		return e->hot_dropped;
	case T2_LOCAL_BYTES: case T2_LOCAL_BYTES + 4:
		return half(e->local_bytes, offset, T2_LOCAL_BYTES);
	case T2_REMOTE_BYTES: case T2_REMOTE_BYTES + 4:
		return half(e->remote_bytes, offset, T2_REMOTE_BYTES);
	case T2_MODEL_TIME: case T2_MODEL_TIME + 4:
		return half(e->model_time, offset, T2_MODEL_TIME);
	default:
		return 0;
	}
}

/* A new place or size is a new ring, from its start. */
static void report_ring_write(struct report_ring *r, uint32_t offset, uint32_t base, uint32_t value)
{
	switch (offset - base) {
	case 0: case 4:
		set_half(&r->ring, offset, base, value);
		break;
	case 8:
		r->size = ring_size(value);
		r->put = r->taken = 0;
		break;
	case 12:
		if (value - r->taken <= r->put - r->taken)
			r->taken = value;
		break;
	default:
		break;
	}
}

void registers_write(struct t2 *t, uint32_t offset, uint32_t value)
{
	struct engine *e = &t->engine;

	if (offset >= T2_QUEUE(0) && offset < T2_QUEUE(T2_QUEUES)) {
		queue_write(t, (offset - T2_QUEUE(0)) / 0x40, offset % 0x40, value);
		return;
	}
	switch (offset) {
	case T2_CTRL:
		if (value & T2_CTRL_RESET && !e->stuck)
			engine_reset(t);
		else
			e->enabled = value & T2_CTRL_ENABLE;
		break;
	case T2_ERROR:
		e->error &= ~value;
		break;
	case T2_PASID_TABLE: case T2_PASID_TABLE + 4:
		set_half(&e->pasid_table, offset, T2_PASID_TABLE, value);
		break;
	case T2_PASIDS:
		e->pasids = value;
		break;
	case T2_INV_ADDR: case T2_INV_ADDR + 4:
		set_half(&e->inv_address, offset, T2_INV_ADDR, value);
		break;
	case T2_INV_PASID:
		e->inv_pasid = value;
		break;
	case T2_INV_PAGES:
		if (e->stuck)
			break;
		invalidate(t, e->inv_pasid, e->inv_address, value);
		e->inv_done++;
		break;
	case T2_FAULT_RING: case T2_FAULT_RING + 4: case T2_FAULT_SIZE: case T2_FAULT_TAKEN:
		report_ring_write(&e->faults, offset, T2_FAULT_RING, value);
		break;
	case T2_HOT_RING: case T2_HOT_RING + 4: case T2_HOT_SIZE: case T2_HOT_TAKEN:
		report_ring_write(&e->hot, offset, T2_HOT_RING, value);
		break;
	case T2_HOT_THRESHOLD:
		e->hot_threshold = value;
		break;
	case T2_HOT_SHIFT:
		e->hot_shift = value < 12 ? 12 : value > 30 ? 30 : value;
		/* The counts were those of other units. */
		memset(e->counters, 0, COUNTERS * sizeof(*e->counters));
		break;
	default:
		break;
	}
}
