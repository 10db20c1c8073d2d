/* SPDX-License-Identifier: GPL-2.0 */
/* For cppcheck: macros of the kernel's headers that it cannot read as functions. */
#define list_for_each_entry(pos, head, member) \
	for (pos = first_entry(head); pos; pos = next_entry(pos))
#define list_for_each_entry_safe(pos, next, head, member) \
	for (pos = first_entry(head); pos; pos = next_entry(pos))
#define TRACE_EVENT(...)
#define guard(kind) (void)
#define __free(how)
#define DEFINE_MUTEX(name) struct mutex name
#define LIST_HEAD(name) struct list_head name
