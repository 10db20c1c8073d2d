#!/bin/bash
# Memory that has nowhere to go, and memory that is lost: huge pages of hugetlb without
# room elsewhere, a full host, a page with an error in it. The report names it, the rest is as
# it was, or with --partial has gone; and without the obstacle all of it goes.
# check: 7.2
# machine: type3
# size: 256M
# memory: 1G
# cpus: 1

. /cxlmem/tests/vm/cxlmem.sh

pool=hugepages/hugepages-2048kB
nodes=/sys/devices/system/node
bind_device
cxlmemctl online cxlmem0 >/dev/null
node=$(attr node)
start_pattern "$node" $((mib / 8)) -s
small=$pattern

# as_before WHAT: nothing has changed.
as_before() {
	is "$(attr mode) $(blocks_in_state online)" "system $nblocks" "$1: everything is as it was"
	intact "$small" "$1: data is intact"
}

# Some of hugetlb on the device, and none free elsewhere, as others have it; nor memory for
# new ones, as there is a page in each piece that cannot be moved. What the kernel keeps for
# itself, in lists of each CPU, and in zone DMA, would be more than is at stake here.
echo 2048 >/proc/sys/vm/min_free_kbytes
echo 100000 >/proc/sys/vm/percpu_pagelist_high_fraction
echo 1 1 1 1 1 >/proc/sys/vm/lowmem_reserve_ratio
echo 8 >"$nodes/node$node/$pool/nr_hugepages"
start_program pattern -b "$node" -g 16
hugetlb=$pattern
echo 3 >/proc/sys/vm/drop_caches
echo $((($(mib_of 0 MemFree) - 120) / 2)) >"$nodes/node0/$pool/nr_hugepages"
start_program pattern -g "$(($(cat $nodes/node0/$pool/free_hugepages) * 2))"
hog=$pattern
start_program fragment 20
fragment=$pattern
diag "$(grep -E 'MemFree|MemAvailable|HugePages' /proc/meminfo)"

like "$(cxlmemctl offline cxlmem0 --dry-run 2>&1)" "holds [0-9.]+M of data .* room for [0-9.]+[KM]" "a full host: a dry run says so"
fails_with 1 "holds [0-9.]+M of data and the host's own nodes have room for [0-9.]+[KM]" cxlmemctl offline cxlmem0
as_before "a full host"

# Now there is room, but for huge pages.
kill -USR1 "$fragment"
wait_for 10 grep -q free "/tmp/pattern.$fragment"
stop_pattern "$small"
start_pattern "$node" 4 -s
small=$pattern
diag "$(grep -E 'MemFree|MemAvailable|HugePages' /proc/meminfo)"
out=$(cxlmemctl offline cxlmem0 --force --timeout 3 2>&1)
is $? 1 "hugetlb without room keeps the memory"
# For one or two there may be room, or be made.
like "$out" "memory[0-9]+ .*: 1?[0-9]M of it are huge pages of hugetlbfs, and the other nodes have [0-9]+B? .*free" "and the report says so"
like "$out" "what to do: .*nr_hugepages" "and what to do"
diag "$out"
as_before "hugetlb"
out=$(cxlmemctl evacuate cxlmem0 --force --partial --timeout 3 2>&1)
is $? 64 "with --partial the rest goes"
is "$(attr mode) $(blocks_in_state online)" "system 1" "but for the block with the huge pages"
stop_pattern "$hog"
echo 0 >"$nodes/node0/$pool/nr_hugepages"
run_ok cxlmemctl offline cxlmem0
intact "$hugetlb" "with room they go, and are intact"
intact "$small" "so is the rest"
stop_pattern "$hugetlb"
stop_pattern "$fragment"
done_testing
