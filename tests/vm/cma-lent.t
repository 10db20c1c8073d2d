#!/bin/bash
# The node is full of the OS's pages, of all kinds; claims move them away, at any
# size and in any order, and nothing is lost.
# machine: type3
# size: 256M
# memory: 2G
# timeout: 600

. /cxlmem/tests/vm/cxlmem.sh

bind_device
enter_cma on
# Nine tenths: a third each of small pages, huge pages, and files in memory.
part=$((full / 3))
start_program pattern -b 1 -s $part
small=$pattern
start_program pattern -b 1 $part
huge=$pattern
mkdir -p /tmp/files
mount -t tmpfs -o mpol=bind:1 none /tmp/files
dd if=/dev/urandom of=/tmp/files/a bs=1M count=$part status=none
sum=$(md5sum </tmp/files/a)
used=$(mib_of 1 MemUsed)
ok $((used < full * 9 / 10)) "$used of $mib MiB are in use"

for size in 2 64 $((mib / 2)) $((mib / 2)) 64 2; do
	out=$(claim try $size)
	like "$out" "error=0" "claim of $size MiB"
	diag "$out"
done
intact "$small" "small pages are intact"
intact "$huge" "huge pages are intact"
is "$(md5sum </tmp/files/a)" "$sum" "files in memory are intact"

before=$(claim try $((mib / 2)) | sed 's/.*ms=//')
run_ok claim random $((200 / slowness)) 7
after=$(claim try $((mib / 2)) | sed 's/.*ms=//')
diag "half of the device: $before ms before, $after ms after"
is "$(attr cma/largest)" $((mib << 20)) "and the largest claim is still all of it"
intact "$small" "small pages are intact"
intact "$huge" "huge pages are intact"
is "$(md5sum </tmp/files/a)" "$sum" "files in memory are intact"

run_ok attr lend off
is "$(attr cma/free) $(pages_of_os)" "$((mib << 20)) 0" "all of it can be taken back"
intact "$small" "small pages are intact"
is "$(md5sum </tmp/files/a)" "$sum" "files in memory are intact"
run_ok attr mode offline
done_testing
