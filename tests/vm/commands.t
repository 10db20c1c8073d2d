#!/bin/bash
# The commands and options that other tests do not touch, on a real device.
# machine: type3
# cpus: 1
# check: 6.12

. /cxlmem/tests/vm/cxlmem.sh

bind_device
json() { python3 -c "import json, sys; d = json.load(sys.stdin); print($1)"; }

for command in list mode online offline evacuate bind unbind run migrate who doctor auto; do
	out=$(cxlmemctl $command --help)
	like "$out" "[Ee]xamples?:.*cxlmemctl $command" "$command --help has examples"
	ok "$(man -w cxlmemctl-$command >/dev/null 2>&1; echo $?)" "and there is a man page"
done

# A dry run tells, and changes nothing.
like "$(cxlmemctl online cxlmem0 --dry-run)" "would .*node 1.*movable" "online --dry-run tells what it would do"
is "$(attr mode)" offline "and does nothing"

run_ok cxlmemctl online cxlmem0
is "$(cxlmemctl mode cxlmem0)" system "mode without a mode tells it"
is "$(cxlmemctl --json list | json "d['devices'][0]['mode'], d['devices'][0]['node'], d['devices'][0]['online'] == $mib << 20")" \
	"system 1 True" "list --json can be parsed"
is "$(cxlmemctl list --mode offline -n)" "" "list --mode filters"

# run: as numactl would.
like "$(cxlmemctl run cxlmem0 -- numactl --show)" "membind: 1" "run binds to the device's node"
cxlmemctl run cxlmem0 -- sh -c 'exit 7'
is $? 7 "and passes the program's exit code on"

# evacuate: the data goes, the mode stays.
start_pattern 1 200
run_ok cxlmemctl evacuate cxlmem0
is "$(attr mode) $(blocks_in_state offline)" "system $nblocks" "evacuate leaves the blocks offline, in mode system"
intact $pattern "data is intact"
run_ok cxlmemctl online cxlmem0
is "$(blocks_in_state online)" "$nblocks" "online brings them back"

# A pinned page: refused with its block, or kept in part on request.
numactl --membind 1 pin 16 >/tmp/pin &
wait_for 10 test -s /tmp/pin
out=$(cxlmemctl offline cxlmem0 --timeout 3 2>&1)
is $? 1 "a pinned page makes offline fail"
diag "$out"
like "$out" "memory ?(block )?1[0-9][0-9]" "the report names the block"
like "$out" "pin|in use|I/O|reference" "and says what holds the page"
is "$(attr mode) $(blocks_in_state online)" "system $nblocks" "everything is as it was"
out=$(cxlmemctl offline cxlmem0 --partial --timeout 3 2>&1)
is $? 64 "--partial keeps what went"
diag "$out"
is "$(attr mode) $(blocks_in_state online)" "system 1" "all but one block are offline"
kill "$(cat /tmp/pin)"
run_ok cxlmemctl offline cxlmem0
intact $pattern "data is intact"
stop_pattern $pattern

echo online >/sys/devices/system/memory/auto_online_blocks
like "$(cxlmemctl doctor)" "auto_online_blocks" "doctor tells of the auto-online policy"
cxlmemctl --json doctor | json "len(d)" >/dev/null
ok $? "doctor --json can be parsed"

done_testing
