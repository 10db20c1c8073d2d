#!/bin/bash
# The node is full of the OS's pages, of all kinds; claims move them away, at any
# size and in any order, and nothing is lost. After 200 claims of random sizes the
# whole device can be claimed in one piece, as before.
# check: 6.12
# machine: type3
# memory: 2G
# timeout: 600

. /cxlmem/tests/vm/cxlmem.sh

hugetlb=/sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages
cached=/usr/bin/qemu-system-x86_64

all_intact() {
	intact "$small" "small pages are intact"
	intact "$huge" "huge pages are intact"
	is "$(md5sum </tmp/files/a)" "$sum" "files in memory are intact"
	is "$(md5sum <$cached)" "$cached_sum" "cached files are intact"
}

# What has been moved away is put back.
refill() { migratepages "$small" 0 1; migratepages "$huge" 0 1; }

# whole WHEN: how long it takes to claim all of it.
whole() {
	local out
	refill
	out=$(claim try "$mib")
	like "$out" "error=0 length=$mib" "all of the device can be claimed in one piece $1"
	diag "$out"
}

bind_device
enter_cma on
# Nine tenths: small pages, huge pages, files in memory, cached files.
echo 3 >/proc/sys/vm/drop_caches
cached_sum=$(numactl --membind 1 md5sum <$cached)
part=$(((full - $(mib_of 1 MemUsed)) / 3))
start_program pattern -b 1 -s $part
small=$pattern
start_program pattern -b 1 $part
huge=$pattern
mkdir -p /tmp/files
mount -t tmpfs -o mpol=bind:1 none /tmp/files
dd if=/dev/urandom of=/tmp/files/a bs=1M count=$part status=none
sum=$(md5sum </tmp/files/a)
used=$(mib_of 1 MemUsed)
ok $((used < mib * 8 / 10)) "$used of $mib MiB are in use, $(mib_of 1 FilePages) of them by files"

for size in 2 64 $((mib / 2)) $((mib / 2)) 64 2; do
	out=$(claim try $size)
	like "$out" "error=0" "claim of $size MiB"
	diag "$out"
done
all_intact
whole "before"
claims=200
[[ $(uname -r) = 7.* ]] || claims=50
while refill; do :; done &
refiller=$!
out=$(claim random $((claims / slowness)) 7 2>&1)
ok $? "claims of random sizes, while the node is filled again and again"
diag "$out"
kill $refiller
wait $refiller 2>/dev/null
is "$(attr cma/claimed) $(attr cma/largest)" "0 $((mib << 20))" "all can be claimed again"
whole "after"
all_intact

# Huge pages of hugetlb stay on their node: claims go around them.
echo 4 >$hugetlb
is "$(cat $hugetlb)" 4 "hugetlb has pages on the node"
run_ok claim try $((mib / 2))
fails_with 1 busy attr lend off
like "$(attr last_error)" "or a huge page of hugetlb .*lent as before" "what is in the way is named"
echo 0 >$hugetlb

run_ok attr lend off
is "$(attr cma/free) $(pages_of_os)" "$((mib << 20)) 0" "all of it can be taken back"
all_intact
run_ok attr mode offline
done_testing
