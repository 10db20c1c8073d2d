// SPDX-License-Identifier: LGPL-2.1
/* Telling the caller what happens during an operation. */
#include <stdarg.h>

#include "private.h"

void options_copy(struct cxlmem_options *to, const struct cxlmem_options *from)
{
	static const struct cxlmem_options defaults = CXLMEM_OPTIONS_INIT;

	*to = defaults;
	/* A program built with an older header has fewer members. */
	if (from)
		memcpy(to, from, from->size < sizeof(*to) ? from->size : sizeof(*to));
	to->size = sizeof(*to);
}

static bool send_event(struct transition *t, const struct cxlmem_event *event)
{
	if (t->opt.event && t->opt.event(event, t->opt.data))
		t->stopped = true;
	return t->stopped && !t->undoing;
}

bool event_text(struct transition *t, enum cxlmem_event_type type, const char *fmt, ...)
{
	struct cxlmem_event event = { .type = type };
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	event.text = text;
	return send_event(t, &event);
}

bool event_progress(struct transition *t, const char *text, uint64_t done, uint64_t total)
{
	struct cxlmem_event event = {
		.type = CXLMEM_EVENT_PROGRESS,
		.text = text,
		.done = done,
		.total = total,
	};

	return send_event(t, &event);
}

/* Without a reason, it is looked for. */
void event_block(struct transition *t, uint64_t index, const char *reason)
{
	uint64_t size = block_size(t->ctx);
	struct cxlmem_event event = {
		.type = CXLMEM_EVENT_BLOCK,
		.block = index,
		.start = index * size,
		.size = size,
		.reason = reason,
	};
	const struct range range = { event.start, size };
	struct obstacle obstacle;
	char pages[512];

	if (!reason) {
		event.reason = "the kernel gives no reason; \"dmesg\" may tell more";
		if (obstacle_find(t, &range, &obstacle)) {
			event.reason = obstacle.reason;
			if (obstacle.remedy[0])
				event.remedy = obstacle.remedy;
		}
	}
	pages_describe(t->ctx, event.start, size, pages, sizeof(pages));
	if (pages[0])
		event.pages = pages;
	send_event(t, &event);
}
