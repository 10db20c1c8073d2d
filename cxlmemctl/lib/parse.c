// SPDX-License-Identifier: LGPL-2.1
/* Numbers, sizes, addresses and node lists, from people and from the kernel. */
#include <ctype.h>

#include "private.h"

int parse_u64(const char *text, int base, uint64_t *value)
{
	unsigned long long number;
	char *end;

	/* strtoull() would also take blanks, a sign, and "0x" with base 16. */
	if (base == 16 ? !isxdigit((unsigned char)*text) : !isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	number = strtoull(text, &end, base);
	if (errno)
		return -ERANGE;
	if (*end)
		return -EINVAL;
	*value = number;
	return 0;
}

int parse_number(const char *text, uint64_t *value)
{
	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		return parse_u64(text + 2, 16, value);
	return parse_u64(text, 10, value);
}

int parse_suffix(const char *name, const char *prefix, uint64_t *number)
{
	size_t len = strlen(prefix);

	if (strncmp(name, prefix, len))
		return -EINVAL;
	return parse_u64(name + len, 10, number);
}

int parse_pci(const char *text, char *name, size_t size)
{
	unsigned int domain = 0, bus, slot, function;
	int end = 0;

	if (strspn(text, "0123456789abcdefABCDEF:.") != strlen(text))
		return -EINVAL;
	if (sscanf(text, "%4x:%2x:%2x.%1x%n", &domain, &bus, &slot, &function, &end) != 4 ||
	    text[end]) {
		domain = 0;
		end = 0;
		if (sscanf(text, "%2x:%2x.%1x%n", &bus, &slot, &function, &end) != 3 || text[end])
			return -EINVAL;
	}
	if (slot > 31 || function > 7)
		return -EINVAL;
	snprintf(name, size, "%04x:%02x:%02x.%x", domain, bus, slot, function);
	return 0;
}

int parse_nodes(const char *text, struct nodes *nodes)
{
	memset(nodes, 0, sizeof(*nodes));
	while (*text) {
		unsigned long first, last;
		char *end;

		if (!isdigit((unsigned char)*text))
			return -EINVAL;
		first = last = strtoul(text, &end, 10);
		if (*end == '-') {
			if (!isdigit((unsigned char)end[1]))
				return -EINVAL;
			last = strtoul(end + 1, &end, 10);
		}
		if (last >= MAX_NODES || first > last)
			return -ERANGE;
		for (; first <= last; first++)
			nodes->bits[first / 64] |= 1ull << (first % 64);
		if (*end == ',')
			end++;
		else if (*end)
			return -EINVAL;
		text = end;
	}
	return 0;
}

bool nodes_has(const struct nodes *nodes, int node)
{
	return node >= 0 && node < MAX_NODES && nodes->bits[node / 64] >> (node % 64) & 1;
}

EXPORT int cxlmem_parse_size(const char *text, uint64_t *bytes)
{
	static const char units[] = "KMGTPE";
	size_t digits = strspn(text, "0123456789abcdefABCDEFxX");
	unsigned int shift = 0;
	char number[32];
	uint64_t value;
	int rc;

	/* B, a digit in hexadecimal, is a unit after a decimal number. */
	if (strncasecmp(text, "0x", 2))
		digits = strspn(text, "0123456789");
	if (!digits || digits >= sizeof(number))
		return -EINVAL;
	memcpy(number, text, digits);
	number[digits] = '\0';
	rc = parse_number(number, &value);
	if (rc)
		return rc;

	text += digits;
	if (*text) {
		const char *unit = strchr(units, toupper((unsigned char)*text));

		if (unit) {
			shift = 10 * (unit - units + 1);
			text++;
			if (!strncasecmp(text, "ib", 2))
				text++;
		}
		if (*text && strcasecmp(text, "b"))
			return -EINVAL;
	}
	if (value > UINT64_MAX >> shift)
		return -ERANGE;
	*bytes = value << shift;
	return 0;
}

EXPORT char *cxlmem_format_size(uint64_t bytes, char *text, size_t size)
{
	static const char units[] = "BKMGTPE";
	unsigned int unit = 0, tenths;
	uint64_t whole = bytes, rest = 0;

	while (whole >= 1024 && units[unit + 1]) {
		rest = whole % 1024;
		whole /= 1024;
		unit++;
	}
	tenths = rest * 10 / 1024;
	if (tenths)
		snprintf(text, size, "%u.%u%c", (unsigned int)whole, tenths, units[unit]);
	else
		snprintf(text, size, "%u%c", (unsigned int)whole, units[unit]);
	return text;
}
