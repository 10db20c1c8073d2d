/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM cxlmem

#if !defined(CXLMEM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define CXLMEM_TRACE_H

#include <linux/cxlmem.h>
#include <linux/tracepoint.h>

TRACE_EVENT(cxlmem_switch_begin,
	TP_PROTO(const char *name, const char *from, const char *to),
	TP_ARGS(name, from, to),
	TP_STRUCT__entry(
		__string(name, name)
		__string(from, from)
		__string(to, to)
	),
	TP_fast_assign(
		__assign_str(name);
		__assign_str(from);
		__assign_str(to);
	),
	TP_printk("%s: %s to %s", __get_str(name), __get_str(from), __get_str(to))
);

TRACE_EVENT(cxlmem_switch_end,
	TP_PROTO(const char *name, const char *from, const char *mode, u64 evacuated, int error),
	TP_ARGS(name, from, mode, evacuated, error),
	TP_STRUCT__entry(
		__string(name, name)
		__string(from, from)
		__string(mode, mode)
		__field(u64, evacuated)
		__field(int, error)
	),
	TP_fast_assign(
		__assign_str(name);
		__assign_str(from);
		__assign_str(mode);
		__entry->evacuated = evacuated;
		__entry->error = error;
	),
	TP_printk("%s: was %s, is %s, evacuated %llu bytes, error %d", __get_str(name),
		  __get_str(from), __get_str(mode), __entry->evacuated, __entry->error)
);

/* What happens to a memory block: refused, offlined or stuck. */
TRACE_EVENT(cxlmem_block,
	TP_PROTO(const char *name, u64 start, const char *event),
	TP_ARGS(name, start, event),
	TP_STRUCT__entry(
		__string(name, name)
		__field(u64, start)
		__string(event, event)
	),
	TP_fast_assign(
		__assign_str(name);
		__entry->start = start;
		__assign_str(event);
	),
	TP_printk("%s: block at %#llx %s", __get_str(name), __entry->start, __get_str(event))
);

/* A request to mode "driver" has ended. */
TRACE_EVENT(cxlmem_move,
	TP_PROTO(const char *name, const char *what, u64 start, u64 done,
		 const struct cxlmem_counts *counts, int error),
	TP_ARGS(name, what, start, done, counts, error),
	TP_STRUCT__entry(
		__string(name, name)
		__string(what, what)
		__field(u64, start)
		__field(u64, done)
		__field(u64, moved)
		__field(u64, created)
		__field(u64, busy)
		__field(u64, no_room)
		__field(int, error)
	),
	TP_fast_assign(
		__assign_str(name);
		__assign_str(what);
		__entry->start = start;
		__entry->done = done;
		__entry->moved = counts->moved;
		__entry->created = counts->created;
		__entry->busy = counts->busy;
		__entry->no_room = counts->no_room;
		__entry->error = error;
	),
	TP_printk("%s: %s %#llx, %llu bytes gone through: %llu pages moved, %llu created, %llu busy, %llu without room, error %d",
		  __get_str(name), __get_str(what), __entry->start, __entry->done,
		  __entry->moved, __entry->created, __entry->busy, __entry->no_room,
		  __entry->error)
);

/* A request in mode "cma" has ended. */
TRACE_EVENT(cxlmem_claim,
	TP_PROTO(const char *name, const struct cxlmem_buffer *buffer, int error),
	TP_ARGS(name, buffer, error),
	TP_STRUCT__entry(
		__string(name, name)
		__field(u64, length)
		__field(u64, offset)
		__field(u64, moved)
		__field(u32, flags)
		__field(int, error)
	),
	TP_fast_assign(
		__assign_str(name);
		__entry->length = buffer->length;
		__entry->offset = buffer->offset;
		__entry->moved = buffer->moved;
		__entry->flags = buffer->flags;
		__entry->error = error;
	),
	TP_printk("%s: claim of %llu bytes, flags %#x: at %#llx, %llu bytes moved, error %d",
		  __get_str(name), __entry->length, __entry->flags, __entry->offset,
		  __entry->moved, __entry->error)
);

#endif /* CXLMEM_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
