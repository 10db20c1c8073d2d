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

bool event_send(struct transition *t, const struct cxlmem_event *event)
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
	return event_send(t, &event);
}

bool event_progress(struct transition *t, const char *text, uint64_t done, uint64_t total)
{
	struct cxlmem_event event = {
		.type = CXLMEM_EVENT_PROGRESS,
		.text = text,
		.done = done,
		.total = total,
	};

	return event_send(t, &event);
}

void event_kernel_log(struct transition *t, const char *word, const char *other)
{
	size_t i;

	kmsg_collect(&t->kmsg);
	for (i = 0; i < t->kmsg.nr; i++)
		if (strstr(t->kmsg.lines[i], word) || strstr(t->kmsg.lines[i], other))
			event_text(t, CXLMEM_EVENT_KERNEL, "%s", t->kmsg.lines[i]);
}
