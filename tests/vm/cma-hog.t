#!/bin/bash
# A program that takes all memory there is: with lend=off it is killed before it gets a
# page of the device; with lend=on it uses the device first.
# machine: type3
# memory: 512M
# check: 7.2
# timeout: 300

. /cxlmem/tests/vm/cxlmem.sh

expected_log='/invoked oom-killer/,/Out of memory: Killed/d; /oom_reaper/d'
# More than there is, which the kernel does not promise by itself.
echo 1 >/proc/sys/vm/overcommit_memory
hog() {
	bash -c 'echo 1000 >/proc/self/oom_score_adj; exec pattern 2048' >/tmp/hog 2>&1 &
	local hog=$! most=0 now
	while kill -0 $hog 2>/dev/null; do
		now=$(resident $hog 1 2>/dev/null)
		[ "${now:-0}" -le "$most" ] || most=$now
		sleep 0.2
	done
	wait $hog
	echo $? "$most"
}

bind_device
enter_cma off
read -r status most < <(hog)
is "$status" 137 "lend=off: the hog is killed"
is "$most $(mib_of 1 MemTotal) $(pages_of_os)" "0 0 0" "it never had a page of the device"
is "$(attr cma/free)" $((mib << 20)) "all of which is free"
attr lend on
read -r status most < <(hog)
is "$status" 137 "lend=on: the hog is killed, too"
# What the kernel says of the node when it kills.
free=$(dmesg | sed -n 's/.*Node 1 Movable free:\([0-9]*\)kB.*/\1/p' | tail -n 1)
ok "$([ "${free:-$((mib << 10))}" -lt $((mib << 8)) ]; echo $?)" \
	"but $((mib - free / 1024)) of $mib MiB of the device were in use, $most of them seen to be its"
run_ok attr mode offline
done_testing
