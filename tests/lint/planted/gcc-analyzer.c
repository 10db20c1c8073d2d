// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>

int *planted(const int *from)
{
	int *copy = malloc(sizeof(*copy));

	*copy = *from;
	return copy;
}
