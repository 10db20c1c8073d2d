#!/bin/bash
# The tool is stopped at random moments of an evacuation, by what can be caught and by what
# cannot, while programs work on the node: then it is the old state or the new one, or for
# evacuate, which goes block by block, between them if it was killed. The next run finishes.
# CXLMEM_STOPS=n CXLMEM_SEED=n: how many are to come in time, and the random numbers
# (make stops).
# check: 6.12
# machine: type3
# size: 256M
# timeout: 300

. /cxlmem/tests/vm/cxlmem.sh

stops=${CXLMEM_STOPS:-9}
RANDOM=${CXLMEM_SEED:-1}
bind_device
cxlmemctl online cxlmem0 >/dev/null
node=$(attr node)
start_program pattern -b "$node" -s -w $((mib / 12))
small=$pattern
start_program pattern -b "$node" -h $((mib / 12))
huge=$pattern
start_program pattern -b "$node" -s -m $((mib / 12))
shared=$pattern
programs="$small $huge $shared"

refill() {
	local program
	cxlmemctl mode cxlmem0 "$1" >/dev/null 2>&1 || return
	for program in $programs; do migratepages "$program" 0 "$node"; done
}
corrupt() {
	local program
	for program in $programs; do pattern_says "$program"; done | grep -v '^intact$'
}

# As long as it takes if nobody interferes, so that any moment of it can be met.
longest=100000
for _ in 1 2 3; do
	refill system
	began=$(date +%s%N)
	run_ok cxlmemctl offline cxlmem0 --jobs 2
	took=$((($(date +%s%N) - began) / 1000000))
	[ "$took" -ge "$longest" ] || longest=$took
done
diag "it takes $longest ms"

declare -A seen
in_time=0
for ((i = 0; in_time < stops && i < 3 * stops; i++)); do
	signals=(INT TERM KILL)
	signal=${signals[$((i % 3))]}
	commands=(offline offline evacuate)
	command=${commands[$((RANDOM % 3))]}
	jobs=$((1 + RANDOM % 3))
	if [ $((RANDOM % 4)) = 0 ]; then mode=cma; else mode=system; fi
	delay=$((RANDOM * longest / 32768))
	# One of each is early enough for sure.
	[ $i -ge 3 ] || delay=$((longest / 10))
	# A mode with memory blocks is left before another is entered.
	cxlmemctl offline cxlmem0 >/dev/null 2>&1
	attr lend on
	refill "$mode" || { ok 1 "$i: it comes back"; break; }
	env --default-signal=INT cxlmemctl "$command" cxlmem0 --jobs "$jobs" >/tmp/out 2>&1 &
	tool=$!
	sleep "$((delay / 1000)).$(printf %03d $((delay % 1000)))"
	kill "-$signal" $tool 2>/dev/null
	wait $tool 2>/dev/null
	status=$?
	wait_for 20 eval '[ "$(attr progress)" = idle ]'
	is_now="$(attr mode) $(blocks_in_state online)"
	what="$i: $command from mode $mode with $jobs jobs, SIG$signal after $delay ms, exit $status: $is_now"
	case "$command $signal $is_now" in
	"offline "*" $mode $nblocks"|"offline "*" offline 0") good=0 ;;
	"evacuate "*" $mode $nblocks"|"evacuate "*" $mode 0"|"evacuate KILL $mode "*) good=0 ;;
	*) good=1 ;;
	esac
	wrong=$(corrupt)
	[ -z "$wrong" ] || good=1
	run=$(cxlmemctl "$command" cxlmem0 2>&1) && [ "$(blocks_in_state online)" = 0 ] || good=1
	ok $good "$what; the next run finishes" || diag "$wrong $(cat /tmp/out) then: $run"
	[ $status = 0 ] && continue
	in_time=$((in_time + 1))
	seen[$signal]=1
done
# Otherwise this has tested nothing.
is "$in_time" "$stops" "so many signals have come in time, of $i"
for signal in INT TERM KILL; do
	ok "$([ "${seen[$signal]:-}" ]; echo $?)" "SIG$signal has come in time at least once"
done
done_testing
