// SPDX-License-Identifier: GPL-2.0
#include <string.h>

int planted(const char *text)
{
	char copy[16];

	memset(copy, sizeof(copy), 0);
	return text == copy;
}
