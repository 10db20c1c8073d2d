#!/bin/bash
# What keeps memory on a device is named: who holds it and by what, in a dry run, by
# "who", while it is waited for, and in the report of what failed. And all is said
# that there is: processes, file systems, the kernel's own.
# machine: type3
# size: 256M
# cpus: 1

. /cxlmem/tests/vm/cxlmem.sh

mkdir -p /sys/fs/cgroup/work
bind_device
cxlmemctl online cxlmem0 >/dev/null
node=$(attr node)

# A page that is in a pipe.
numactl --membind "$node" pin 16 >/tmp/pin &
wait_for 10 test -s /tmp/pin
pin=$(cat /tmp/pin)
echo "$pin" >/sys/fs/cgroup/work/cgroup.procs
start_pattern "$node" $((mib / 4)) -h
mount -t tmpfs -o "mpol=bind:$node" tmpfs /mnt
fallocate -l 8M /mnt/file

who=$(cxlmemctl who cxlmem0)
like "$who" "$pin +root +[0-9.]+K .* /work +pin +64K held by way of pipes; may use this node only" "who: the pages that are held"
like "$who" "$pattern +root +[0-9.]+M +[0-9.]+M .*pattern" "who: huge pages"
like "$who" $'\n'"file +8(\.[0-9])?M +yes +tmpfs tmpfs" "who: page cache by file system"
like "$(cxlmemctl who cxlmem0 --json)" "\"held\":65536,.*\"kind\":\"file\"" "who: as JSON"

culprit="64K of it, first at 0x[0-9a-f]+, are held .*64K of pin \(pid $pin, which has pipes\)"
like "$(cxlmemctl offline cxlmem0 --dry-run 2>&1)" "would fail now: $culprit; .*kill $pin" "a dry run foretells it"
out=$(cxlmemctl offline cxlmem0 --timeout 6 2>&1)
is $? 1 "a page that is held keeps the memory"
like "$out" "no memory block has come free: $culprit" "who holds it is said while we wait"
like "$out" "memory[0-9]+ \[0x[0-9a-f]+-0x[0-9a-f]+\]: $culprit" "and in the end"
like "$out" "what to do: .*kill $pin" "and what to do"
is "$(attr mode) $(blocks_in_state online)" "system $nblocks" "everything is as it was"
kill "$pin"
run_ok cxlmemctl offline cxlmem0
intact "$pattern" "data is intact"

# Pages that are pinned for good: where that is allowed they are not moved away first.
cxlmemctl online cxlmem0 --zone kernel >/dev/null 2>&1
numactl --membind "$node" pin 16 uring >/tmp/uring &
wait_for 10 test -s /tmp/uring
uring=$(cat /tmp/uring)
out=$(cxlmemctl offline cxlmem0 --timeout 3 2>&1)
is $? 1 "pages that are pinned keep the memory"
like "$out" "64K of it, .* are pinned, as for a device's DMA: 64K of pin \(pid $uring, which has io_uring\)" \
	"and who has pinned them, by what, is told"
kill "$uring"

# A file system that has no way to move its pages.
mount -t ramfs ramfs /srv
numactl --membind "$node" dd if=/dev/urandom of=/srv/file bs=1M count=8 status=none
who=$(cxlmemctl who cxlmem0)
like "$who" $'\n'"file +8M +no +ramfs ramfs" "who: page cache that cannot be moved"
out=$(cxlmemctl offline cxlmem0 --timeout 3 2>&1)
is $? 1 "a file system that cannot move its pages keeps the memory"
like "$out" "8M of it, first at .*, belong to files of ramfs, which has no way to move what is not written back: no process" \
	"and is named"
like "$out" "what to do: .*remove the files" "and what to do"
umount /srv
is "$(cxlmemctl offline cxlmem0 --dry-run 2>&1 | grep -c ramfs)" 0 "without its files it keeps nothing"

# The kernel's own memory.
fill_slab() {
	local i
	for i in $(seq 4000); do : >"/dev/shm/$1.$i"; done
}
mkdir -p /dev/shm
mount -t tmpfs tmpfs /dev/shm
wait_for 20 eval 'numactl --membind $node bash -c "$(declare -f fill_slab); fill_slab \$RANDOM";
	cxlmemctl who cxlmem0 | grep -q "^slab .* no"'
like "$(cxlmemctl who cxlmem0)" $'\n'"slab +[0-9.]+[KM] +no" "who: kernel users"
out=$(cxlmemctl offline cxlmem0 --timeout 3 2>&1)
is $? 1 "the kernel's memory keeps the device"
like "$out" "of it are memory of the kernel itself, which cannot be moved, first at 0x" "and the report says so"
like "$out" "what to do: .*--zone movable" "and what to do"
umount /dev/shm

done_testing
