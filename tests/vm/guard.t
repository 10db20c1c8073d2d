#!/bin/bash
# Whatever tries to online the memory elsewhere, it ends up movable, and never
# in a kernel zone, unless the owner says so.
# check: 7.2
# machine: type3
# cpus: 1

. /cxlmem/tests/vm/cxlmem.sh

echo online >/sys/devices/system/memory/auto_online_blocks
is "$(cat /sys/devices/system/memory/auto_online_blocks)" online "auto-onlining is on"
bind_device

# A udev rule of the distribution's, only faster and all the time.
(
	while :; do
		for block in /sys/devices/system/memory/memory*; do
			read -r state 2>/dev/null <"$block/state" && [ "$state" = offline ] &&
				echo online 2>/dev/null >"$block/state"
		done
		sleep 0.01
	done
) 2>/dev/null &
competitor=$!

# Looks all the time for memory of the far node outside of ZONE_MOVABLE.
(
	while :; do
		awk '$1 == "Node" && $2 == "1," { zone = $4 }
			$1 == "managed" && zone != "Movable" && zone != "" && $2 > 0 { exit 1 }' \
			/proc/zoneinfo || touch /tmp/strayed
		sleep 0.05
	done
) &
watcher=$!

bad=0
for round in {1..3}; do
	cxlmemctl online cxlmem0 >/tmp/out 2>&1 || { bad=$((bad + 1)); diag "$(cat /tmp/out)"; }
	[ "$(zones)" = Movable ] && [ "$(blocks_in_state online)" = "$nblocks" ] ||
		{ bad=$((bad + 1)); diag "round $round: zones '$(zones)'"; }
	cxlmemctl offline cxlmem0 >/tmp/out 2>&1 || { bad=$((bad + 1)); diag "$(cat /tmp/out)"; }
done
is $bad 0 "three times online and offline with a competitor: always movable"
ok "$([ ! -e /tmp/strayed ]; echo $?)" "none was in a kernel zone for a moment"
kill $competitor $watcher
like "$(dmesg)" "memory block [0-9]+ stays offline: .* wanted it in a kernel zone" "the log names who tried"

run_ok cxlmemctl online cxlmem0
fails_with 1 "Operation not permitted|write error" bash -c "echo offline >$(blocks | head -1)/state && echo online_kernel >$(blocks | head -1)/state"
is "$(blocks_in_state online)" $((nblocks - 1)) "an administrator's online_kernel is refused, too"
run_ok cxlmemctl online cxlmem0
is "$(blocks_in_state online)" "$nblocks" "online again brings the missing block back"

# On request.
out=$(cxlmemctl mode cxlmem0 system --zone kernel 2>&1)
is $? 0 "--zone kernel is done on request"
like "$out" "warning" "with a warning"
like "$(zones)" "^Normal" "the memory is in a kernel zone"

done_testing
