#!/bin/bash
# Transitions are announced by uevents and traced.
# machine: type3
# cpus: 1
# check: 6.12

. /cxlmem/tests/vm/cxlmem.sh

bind_device
echo 1 >/sys/kernel/tracing/events/cxlmem/enable
udevadm monitor --kernel --property --subsystem-match=cxlmem >/tmp/events &
wait_for 10 grep -q KERNEL /tmp/events
cxlmemctl online cxlmem0 >/dev/null
start_pattern 1 100
cxlmemctl offline cxlmem0 >/dev/null
stop_pattern $pattern
wait_for 10 grep -q MODE=offline /tmp/events
kill %1

events=$(cat /tmp/events)
like "$events" "MODE=system
PREV_MODE=offline
EVACUATED=0" "a uevent tells of mode system"
like "$events" "MODE=offline
PREV_MODE=system
EVACUATED=1[0-9]{8}" "a uevent tells of mode offline and how much was evacuated"
trace=$(cat /sys/kernel/tracing/trace)
like "$trace" "cxlmem_switch_begin: cxlmem0: system to offline" "the transition is traced"
is "$(grep -c "cxlmem_block: cxlmem0: block at .* offlined" <<<"$trace")" "$nblocks" "and every block"
like "$trace" "cxlmem_switch_end: cxlmem0: was system, is offline, evacuated [1-9][0-9]* bytes, error 0" "and its end"

done_testing
