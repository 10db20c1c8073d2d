#!/bin/bash
# Pages that cannot be moved: claims go elsewhere, or fail and say where they are.
# check: 6.12
# machine: type3
# timeout: 300

. /cxlmem/tests/vm/cxlmem.sh

bind_device
enter_cma on
numactl --membind 1 pin 16 >/tmp/pin &
wait_for 20 grep -q . /tmp/pin
run_ok claim try 2
run_ok claim try $((mib / 4))
fails_with 1 "error=EADDRINUSE.*obstacle=0x[0-9a-f]*000 " claim try "$mib"
fails_with 1 busy attr lend off
like "$(attr last_error)" "cannot be moved.*lent as before" "it says where, and what becomes of it"
is "$(attr lend) $(attr cma/lent)" "on $((mib << 20))" "all is as before"

# One that waits gets it when the pin goes; a signal ends waiting.
claim try -w "$mib" >/tmp/waiting &
waiter=$!
sleep 1
ok "$(kill -0 $waiter; echo $?)" "it waits"
kill "$(cat /tmp/pin)"
wait $waiter
ok $? "and gets it when the pages are free"
start_program claim hold "$mib"
claim try -w 2 >/tmp/waiting 2>&1 &
waiter=$!
sleep 1
kill -INT $waiter
kill -KILL $waiter
wait $waiter 2>/dev/null
ok "$((128 > $?))" "waiting can be ended"
fails_with 1 "error=ENOSPC" claim try -t 2
fails_with 1 "error=ENOSPC" claim try 2
stop_pattern "$pattern"
start_program pattern -b 1 -s $((mib * 3 / 4))
fails_with 1 "error=EAGAIN" claim try -t $((mib / 2))
intact "$pattern" "nothing was moved for it"
stop_pattern "$pattern"
run_ok attr mode offline
done_testing
