// SPDX-License-Identifier: GPL-2.0
int planted(int n)
{
	int table[2] = { 0 };

	if (n == 2)
		table[n] = 1;
	return table[0];
}
