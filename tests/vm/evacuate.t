#!/bin/bash
# A node with everything on it that can be: it is evacuated by several threads,
# at the pace and to the node that was asked for, stopped at random moments, and
# under a process that allocates as fast as it can. Nothing is lost.
# machine: soft
# size: 256M
# cpus: 1
# check: 7.2

. /cxlmem/tests/vm/cxlmem.sh

bind_device "$(sed -n 's/.*memmap=\([0-9]*M\)%\(0x[0-9a-f]*\)-.*/\2+\1/p' /proc/cmdline)"
online() { cxlmemctl online cxlmem0 >/dev/null 2>&1; }
online
node=$(attr node)
share=$((mib / 10))
start_pattern "$node" $share -h
huge=$pattern
start_pattern "$node" $share -s
small=$pattern
mount -t tmpfs -o "mpol=bind:$node" tmpfs /mnt
dd if=/dev/urandom of=/mnt/file bs=1M count=$share 2>/dev/null
sum=$(sha256sum </mnt/file)
echo 4 >"/sys/devices/system/node/node$node/hugepages/hugepages-2048kB/nr_hugepages"
echo 4 >/sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages

back() {
	online
	migratepages "$huge" 0 "$node"
	migratepages "$small" 0 "$node"
}
all_intact() {
	is "$(pattern_says "$huge") $(pattern_says "$small") $(sha256sum </mnt/file)" \
		"intact intact $sum" "$1"
}

like "$(cxlmemctl offline cxlmem0 --dry-run 2>&1)" \
	"there are: .*; to move that takes (less than a second|about [1-9] s)" "a dry run tells how long it takes"
run_ok cxlmemctl offline cxlmem0 --jobs 2
is "$(resident "$huge" "$node") $(resident "$small" "$node")" "0 0" "nothing is left on the node"
all_intact "all data is intact"

# At a pace for which there is too much.
back
began=$(date +%s%N)
run_ok cxlmemctl evacuate cxlmem0 --nice $((share * 2 / 3))M --jobs 3
took=$((($(date +%s%N) - began) / 1000000))
ok "$([ $took -ge 2000 ]; echo $?)" "--nice keeps to the rate ($took ms for $((2 * share)) MiB)"
is "$(blocks_in_state offline)" "$nblocks" "all blocks are off line"

# Stopped at random moments, by what can be caught and what cannot.
RANDOM=${CXLMEM_SEED:-1}
for signal in INT KILL TERM KILL INT; do
	back
	env --default-signal=INT cxlmemctl offline cxlmem0 --nice 40M --jobs 2 >/tmp/out 2>&1 &
	tool=$!
	sleep "0.$((RANDOM % 6))$((RANDOM % 10))"
	kill -$signal $tool 2>/dev/null
	wait $tool 2>/dev/null
	status=$?
	wait_for 20 eval '[ "$(attr progress)" = idle ]'
	like "$(attr mode) $(blocks_in_state online)" "^(system $nblocks|offline 0)$" \
		"after SIG$signal (exit $status) it is the old mode or the new one"
done
all_intact "all data is intact after that"
stop_pattern "$huge"
stop_pattern "$small"

# Somebody who may be there only, and wants new pages all the time.
online
start_pattern "$node" $share -s -f
diag "$(date +%T) it allocates"
run_ok timeout 60 cxlmemctl offline cxlmem0 --jobs 2
intact "$pattern" "a process that never stops allocating there is intact"

fails_with 1 "its own" cxlmemctl offline cxlmem0 --to "$node"
fails_with 2 "threads" cxlmemctl offline cxlmem0 --jobs 0
fails_with 2 "amount" cxlmemctl offline cxlmem0 --nice fast
done_testing
