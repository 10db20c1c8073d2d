#!/bin/bash
# Requests at random, from several processes, while lend is switched and others use
# the memory. Nothing is lost.
# machine: type3
# check: debug
# timeout: 400

. /cxlmem/tests/vm/cxlmem.sh

seconds=${SECONDS_TO_FUZZ:-10}
bind_device
enter_cma on
start_program pattern -b 1 -s $((mib / 4))
for i in 1 2 3; do
	claim fuzz "$seconds" $i >/tmp/fuzz.$i 2>&1 &
	fuzzers+=($!)
done
end=$((SECONDS + seconds)) switched=0
while [ $SECONDS -lt $end ]; do
	attr lend off 2>/dev/null && switched=$((switched + 1))
	attr lend on
	sleep 0.3
done
for fuzzer in "${fuzzers[@]}"; do
	wait "$fuzzer"
	ok $? "a fuzzer has found nothing"
done
diag "$(cat /tmp/fuzz.*), lend switched $switched times"
intact "$pattern" "the OS's data is intact"
is "$(attr cma/claimed) $(attr cma/largest)" "0 $((mib << 20))" "all of it is free"
stop_pattern "$pattern"
run_ok attr mode offline
done_testing
