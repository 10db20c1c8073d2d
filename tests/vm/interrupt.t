#!/bin/bash
# Ctrl-C and kill -9 of the tool in mid-evacuation, and two tools at once.
# machine: type3
# size: 512M
# timeout: 300
# check: 6.12

. /cxlmem/tests/vm/cxlmem.sh

bind_device

# The mode is the old one with all blocks online, or the new one.
consistent() {
	wait_for 20 eval '[ "$(attr progress)" = idle ]'
	case "$(attr mode) $(blocks_in_state online)" in
	"system $nblocks"|"offline 0") return 0 ;;
	*) diag "mode $(attr mode), $(blocks_in_state online) blocks online"; return 1 ;;
	esac
}

cxlmemctl online cxlmem0 >/dev/null
start_pattern 1 $((mib / 5)) -s
for signal in INT TERM KILL; do
	for delay in 0.1 0.5; do
		cxlmemctl online cxlmem0 >/dev/null 2>&1
		migratepages $pattern 0 1
		# A background job of a script ignores SIGINT; this one must not.
		env --default-signal=INT cxlmemctl offline cxlmem0 >/tmp/out 2>&1 &
		tool=$!
		sleep $delay
		kill -$signal $tool 2>/dev/null
		wait $tool
		status=$?
		consistent
		ok $? "SIG$signal after $delay s: exit $status, mode $(attr mode)"
		[ $signal = KILL ] || [ $status != 1 ] ||
			like "$(cat /tmp/out)" "stopped|as (it|they) w" "and the tool says so"
	done
done
intact $pattern "data is intact"
run_ok cxlmemctl offline cxlmem0
is "$(attr mode)" offline "another run finishes"
intact $pattern "data is still intact"

# An administrator's shell in mid-write.
cxlmemctl online cxlmem0 >/dev/null
migratepages $pattern 0 1
bash -c "echo offline >$SYS/mode" 2>/dev/null &
sleep 0.3
kill -9 $!
wait $! 2>/dev/null
consistent
ok $? "kill -9 of a plain echo: mode $(attr mode)"

# Two tools.
cxlmemctl online cxlmem0 >/dev/null 2>&1
migratepages $pattern 0 1
cxlmemctl offline cxlmem0 >/tmp/first 2>&1 &
first=$!
sleep 0.2
fails_with 1 "another|works on" cxlmemctl online cxlmem0 --no-wait
cxlmemctl online cxlmem0 >/tmp/second 2>&1
is $? 0 "a second tool waits for the first"
wait $first
is $? 0 "and the first is not disturbed"
like "$(cat /tmp/second)" "wait" "the second says that it waits"
is "$(attr mode) $(blocks_in_state online)" "system $nblocks" "the second has had the last word"
intact $pattern "data is intact"
stop_pattern $pattern

done_testing
