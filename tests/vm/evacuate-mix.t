#!/bin/bash
# Memory of all kinds on the node, and stress-ng at work there throughout: huge and small
# pages, shared, locked, forked and merged ones, hugetlb, files in a tmpfs and dirty ones of
# a disk, processes that are bound to the node by numactl or a cpuset. All of it goes,
# from mode system and from mode cma, and nothing is lost or killed.
# check: 7.2
# machine: type3
# size: 256M
# timeout: 300

. /cxlmem/tests/vm/cxlmem.sh
. /cxlmem/tests/vm/mix.sh

bind_device
run_ok cxlmemctl online cxlmem0
node=$(attr node)
numactl --membind "$node" stress-ng --vm 1 --vm-bytes 16M --verify \
	--fork 1 --mmap 1 --mmap-bytes 8M --timeout 0 >/tmp/stress 2>&1 &
stress=$!
wait_for 30 pgrep -P $stress
# From now on with little of the CPUs, so that all others get on, too.
pgrep stress-ng | xargs renice -n 10 -p >/dev/null 2>&1
start_mix "$node" $((mib / 32))
is "$(mix_is_not_on "$node")" "" "there is memory of all kinds on the node"

# gone HOW: after an evacuation.
gone() {
	is "$(blocks_in_state online)" 0 "$1: all of it is off"
	is "$(mix_says)" "" "$1: all data is intact"
	is "$(killed)" "" "$1: nobody was killed"
	kill -0 $stress
	ok $? "$1: stress-ng works on"
}

run_ok cxlmemctl offline cxlmem0
gone "offline"

run_ok cxlmemctl mode cxlmem0 cma --lend on
refill_mix "$node"
is "$(mix_is_not_on "$node")" "" "what is lent has memory of all kinds on it, too"
run_ok cxlmemctl evacuate cxlmem0 --jobs 2
gone "evacuate in mode cma"
is "$(attr mode)" cma "the mode is the same"
run_ok cxlmemctl mode cxlmem0 cma
is "$(blocks_in_state online)" "$nblocks" "it is lent again"

# It ends with a failure also if the signal comes to one of its children as that starts.
kill -INT $stress
wait $stress
like "$(cat /tmp/stress)" "passed: 3: .*failed: 0" "stress-ng has found no fault"
# Dirty pages were moved while they were dirty, and reach the disk.
umount /tmp/disk
mount -o loop,ro,codepage=437,iocharset=ascii /tmp/host/disk /tmp/disk
is "$(sha256sum </tmp/disk/data)" "$mix_sum" "the disk has what was written"
done_testing
