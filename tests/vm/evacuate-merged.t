#!/bin/bash
# KSM is at work on pages while they are to go. It loses sight of a process whose page it
# finds locked, and stands still while memory goes off line: whoever moves merged pages
# before that makes the offlining fail.
# check: 7.2
# machine: type3
# size: 256M
# timeout: 120

. /cxlmem/tests/vm/cxlmem.sh

ksm=/sys/kernel/mm/ksm
merge() { wait_for 60 eval "[ \$(cat $ksm/pages_sharing) -ge $((mib * 200 / 12)) ]"; }

bind_device
run_ok cxlmemctl online cxlmem0
node=$(attr node)
start_program pattern -b "$node" -s -k $((mib / 12))
echo 200 >$ksm/pages_to_scan
echo 2 >$ksm/sleep_millisecs
echo 1 >$ksm/run
merge
for round in 1 2 3 4 5; do
	run_ok cxlmemctl evacuate cxlmem0 --jobs 2 --timeout $((10 * slowness))
	is "$(blocks_in_state online) $(pattern_says "$pattern")" "0 intact" "$round: it is off, data is intact"
	cxlmemctl online cxlmem0 >/dev/null
	# Each of its rounds finds all that an earlier one has lost.
	for _ in 1 2; do
		migratepages "$pattern" 0 "$node"
		scans=$(cat $ksm/full_scans)
		wait_for 60 eval "[ \$(cat $ksm/full_scans) -ge $((scans + 3)) ]"
	done
done
is "$(cat $ksm/run)" 1 "KSM is still at work"
done_testing
