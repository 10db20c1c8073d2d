#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# claim.sh [MIB [ROUNDS]]: how long does a claim of a contiguous piece take in mode
# "cma", of a device that is empty, or nine tenths full of the OS's pages of 4 KiB or
# of 2 MiB? Against hugetlb, the kernel's own way to have contiguous memory, on
# the same device in mode "system": the same amount in pages of 2 MiB; and one page of
# 1 GiB against a claim of all the device. Zeroing is part of both. In turns.
#
# On an empty device it is zeroing that takes the time, for both. On a full one a claim
# moves to other nodes what is in its way, page by page in one thread, as
# alloc_contig_range() does it; hugetlb moves nothing off the node for 2 MiB pages, and
# gets fewer than were asked for: it has no time to be compared with then.
# machine: soft

. /cxlmem/tests/bench/bench.sh

mib=${1:-256} rounds=${2:-4}
declare -A times moved got

switch() { cxlmemctl "$@" >/tmp/switch 2>&1 || { cat /tmp/switch; exit 1; }; }

# fill HOW: a program's pages on nine tenths of the device, or none.
fill() {
	filler=
	[ "$1" != empty ] || return
	pattern "-${1:0:1}" -b "$node" $((all * 9 / 10)) >/tmp/filler &
	filler=$!
	until grep -q ready /tmp/filler; do sleep 0.1; done
}
empty() { [ -z "$filler" ] || { kill "$filler"; wait "$filler" 2>/dev/null; }; }

# note KEY MS MOVED GOT: but for the first round.
note() {
	[ "$round" != 0 ] || return
	times[$1]+="$2 " moved[$1]=$3 got[$1]=$4
}

claim_piece() {
	local words
	words=$(claim try "$2") || { note "claim $1" 0 0 0; return; }
	note "claim $1" "$(sed 's/.*ms=//' <<<"$words")" "$(sed 's/.*moved=\([0-9]*\).*/\1/' <<<"$words")" "$2"
}

# hugetlb FILL MIB KIB
hugetlb() {
	local allocate map mib_got
	read -r allocate map mib_got < <(hugepages "$node" "$3" "$2") || exit
	note "hugetlb $1" "$(awk "BEGIN { print $allocate + $map }")" 0 "$mib_got"
}

switch bind "$(sed -n 's/.*memmap=\([0-9]*M\)%\(0x[0-9a-f]*\)-.*/\2+\1/p' /proc/cmdline)"
node=$(cat /sys/class/cxlmem/cxlmem0/node)
all=$(($(cat /sys/class/cxlmem/cxlmem0/usable_size) >> 20))
[ ! -e /proc/sys/vm/movable_gigantic_pages ] || echo 1 >/proc/sys/vm/movable_gigantic_pages
# Memory that was never used is given by the machine below at the first touch.
move touch $(($(awk '/^MemAvailable/ { print $2 }' /proc/meminfo) * 8 / 10240)) || exit

for ((round = 0; round <= rounds; round++)); do
	switch mode cxlmem0 cma --lend on
	for how in empty small huge; do
		fill $how
		claim_piece $how "$mib"
		empty
	done
	claim_piece all "$all"
	switch mode cxlmem0 system
	for how in empty small huge; do
		fill $how
		hugetlb $how "$mib" 2048
		empty
	done
	hugetlb all "$all" 1048576
	switch offline cxlmem0
done

echo "$mib MiB of $all, $rounds rounds, $(nproc) CPUs; \"all\": the device as one piece, empty"
for how in empty small huge all; do
	for who in claim hugetlb; do
		printf '%-8s %-6s ms: %s   got %s MiB, %s MiB moved away' $who $how \
			"$(tr ' ' '\n' <<<"${times[$who $how]% }" | spread)" \
			"${got[$who $how]}" "${moved[$who $how]}"
		if [ $who = hugetlb ] && [ "${got[claim $how]}" = "${got[hugetlb $how]}" ]; then
			printf '   claim takes %s times as long' \
				"$(paste <(tr ' ' '\n' <<<"${times[claim $how]% }") \
					<(tr ' ' '\n' <<<"${times[hugetlb $how]% }") |
					awk '{ print $1 / $2 }' | spread)"
		fi
		echo
	done
done
