# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Memory of all kinds on the node of cxlmem0, for tests of what moves it away. On top
# of cxlmem.sh.
# shellcheck disable=SC2154 # cxlmem.sh sets $pattern

# By kind, the pids of those who have it.
declare -A mix

# An empty FAT with 16 bits in a file of 32 MiB: 65536 sectors, 2 tables of 64, 512
# entries in the root folder, clusters of 4 sectors. No mkfs of a file system that a disk
# has is in the lab.
make_fat() {
	local table
	truncate -s 32M "$1"
	printf '\353\74\220cxlmem  \0\2\4\1\0\2\0\2\0\0\370\100\0\40\0\100\0\0\0\0\0\0\0\1\0\200\0\51\1\0\0\0cxlmem     FAT16   ' |
		dd of="$1" conv=notrunc status=none
	printf '\125\252' | dd of="$1" bs=1 seek=510 conv=notrunc status=none
	for table in 1 65; do
		printf '\370\377\377\377' | dd of="$1" bs=512 seek=$table conv=notrunc status=none
	done
}

# A file system of a disk, on a file of the host's. Nothing is written back by itself.
mount_disk() {
	mkdir -p /tmp/host /tmp/disk
	mount -t tmpfs -o "mpol=bind:0" tmpfs /tmp/host
	make_fat /tmp/host/disk
	modprobe -a loop vfat nls_ascii nls_cp437
	echo 0 >/proc/sys/vm/dirty_writeback_centisecs
	echo 90 >/proc/sys/vm/dirty_ratio
	echo 80 >/proc/sys/vm/dirty_background_ratio
	mount -o loop,codepage=437,iocharset=ascii /tmp/host/disk /tmp/disk
}

# put_files NODE: in a tmpfs, and dirty in the page cache.
put_files() {
	numactl --membind "$1" cp /tmp/host/data /tmp/files/data
	numactl --membind "$1" cp /tmp/host/data /tmp/disk/data
}

# start_in_cpuset NODE COMMAND...: as start_program, where no other node is allowed.
start_in_cpuset() {
	local group=/sys/fs/cgroup/only
	echo +cpuset >/sys/fs/cgroup/cgroup.subtree_control
	mkdir -p $group
	echo "$1" >$group/cpuset.mems
	start_program bash -c "echo \$\$ >$group/cgroup.procs; exec \"\$@\"" bash "${@:2}"
}

# start_mix NODE MIB: so much of each kind. Memory is bound by mbind(2), but for the
# process that numactl binds, as are the children of the forked one.
start_mix() {
	local node=$1 each=$2 hugetlb=/sys/devices/system/node/node$1/hugepages/hugepages-2048kB
	start_program pattern -b "$node" -h "$each"; mix[huge]=$pattern
	start_program pattern -b "$node" -s -w "$each"; mix[small]=$pattern
	start_program pattern -b "$node" -s -m "$each"; mix[shared]=$pattern
	start_program pattern -b "$node" -s -l "$each"; mix[locked]=$pattern
	start_program pattern -b "$node" -s -c 3 "$each"; mix[forked]=$pattern
	start_pattern "$node" "$each" -s; mix[bound]=$pattern
	start_in_cpuset "$node" pattern -s "$each"; mix[cpuset]=$pattern
	echo $((each / 2)) >"$hugetlb/nr_hugepages"
	start_program pattern -b "$node" -g "$each"; mix[hugetlb]=$pattern
	start_program pattern -b "$node" -s -k "$each"; mix[merged]=$pattern
	echo 5000 >/sys/kernel/mm/ksm/pages_to_scan
	echo 1 >/sys/kernel/mm/ksm/run
	wait_for 60 eval "[ \$(cat /sys/kernel/mm/ksm/pages_sharing) -ge $((each * 200)) ]"
	mount_disk
	mkdir -p /tmp/files
	mount -t tmpfs -o "mpol=bind:$node" tmpfs /tmp/files
	dd if=/dev/urandom of=/tmp/host/data bs=1M count="$each" status=none
	mix_sum=$(sha256sum </tmp/host/data)
	put_files "$node"
}

# What an evacuation has moved away comes back. KSM, were it at work on what is just moved,
# could lose sight of who shares it, and an offlining begun before it looks again would fail.
refill_mix() {
	local kind
	echo 0 >/sys/kernel/mm/ksm/run
	for kind in "${!mix[@]}"; do migratepages "${mix[$kind]}" 0 "$1"; done
	echo 1 >/sys/kernel/mm/ksm/run
	put_files "$1"
}

# What is wrong with it: nothing if all that it was is there still.
mix_says() {
	local kind said
	for kind in "${!mix[@]}"; do
		said=$(pattern_says "${mix[$kind]}")
		[ "$said" = intact ] || echo "$kind: $said"
	done
	[ "$(sha256sum </tmp/files/data)" = "$mix_sum" ] || echo "tmpfs: not what was written"
	[ "$(sha256sum </tmp/disk/data)" = "$mix_sum" ] || echo "disk: not what was written"
}

# Which kinds have nothing on a node, where each should have some.
mix_is_not_on() {
	local kind
	for kind in "${!mix[@]}"; do
		[ "$(resident "${mix[$kind]}" "$1")" -gt 0 ] || echo "$kind"
	done
	cxlmemctl who cxlmem0 >/tmp/who
	grep -q "^file .* tmpfs" /tmp/who || echo tmpfs
	grep -q "^file .* vfat" /tmp/who || echo disk
}

# Who was killed for want of memory.
killed() { dmesg | grep -E 'Killed process|oom-kill'; }
