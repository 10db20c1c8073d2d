// SPDX-License-Identifier: GPL-2.0
/* Lists that come line by line, as a table or as a JSON array. */
#include <inttypes.h>
#include <pwd.h>

#include <libsmartcols/libsmartcols.h>

#include "tool.h"

void listing_amount(const struct listing *listing, uint64_t bytes, char *text, size_t size)
{
	if (listing->tool->value['b'])
		snprintf(text, size, "%" PRIu64, bytes);
	else
		cxlmem_format_size(bytes, text, size);
}

void listing_user(uid_t uid, char *text, size_t size)
{
	const struct passwd *user = getpwuid(uid);

	if (user)
		snprintf(text, size, "%s", user->pw_name);
	else
		snprintf(text, size, "%u", (unsigned int)uid);
}

int listing_start(struct listing *listing, struct tool *t, const struct listing_column *columns,
		  size_t nr)
{
	size_t i;

	listing->tool = t;
	if (t->json) {
		listing->array = json_object_new_array();
		return 0;
	}
	listing->table = scols_new_table();
	if (!listing->table)
		return -ENOMEM;
	scols_table_enable_noheadings(listing->table, !!t->value['n']);
	scols_table_enable_raw(listing->table, !!t->value['r']);
	for (i = 0; i < nr; i++)
		if (!scols_table_new_column(listing->table, columns[i].name, 0,
					    columns[i].right ? SCOLS_FL_RIGHT : 0))
			return -ENOMEM;
	return 0;
}

int listing_line(struct listing *listing, const char *const *words, size_t nr)
{
	struct libscols_line *line = scols_table_new_line(listing->table, NULL);
	size_t i;

	if (!line)
		return -ENOMEM;
	for (i = 0; i < nr; i++)
		if (scols_line_set_data(line, i, words[i][0] ? words[i] : "-"))
			return -ENOMEM;
	return 0;
}

void listing_end(struct listing *listing)
{
	scols_unref_table(listing->table);
	json_object_put(listing->array);
}
