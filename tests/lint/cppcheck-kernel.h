/* SPDX-License-Identifier: GPL-2.0 */
/* For cppcheck: macros of the kernel's headers that it cannot read as functions. */
#define list_for_each_entry(pos, head, member) \
	for (pos = first_entry(head); pos; pos = next_entry(pos))
#define list_for_each_entry_safe(pos, next, head, member) \
	for (pos = first_entry(head); pos; pos = next_entry(pos))
#define for_each_online_cpu(cpu) for (cpu = 0; next_cpu(cpu);)
#define for_each_clear_bit(bit, map, size) for (bit = 0; next_bit(bit);)
#define xa_for_each(array, index, entry) for (entry = first_entry(array); entry;)
#define hash_for_each_possible(table, pos, member, key) for (pos = first_entry(table); pos;)
#define scoped_guard(kind, lock) if (lock)
#define DECLARE_BITMAP(name, bits) unsigned long name[1]
#define DECLARE_HASHTABLE(name, bits) struct hlist_head name[1]
#define TRACE_EVENT(...)
#define guard(kind) (void)
#define __free(how)
#define DEFINE_MUTEX(name) struct mutex name
#define LIST_HEAD(name) struct list_head name
