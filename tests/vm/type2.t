#!/bin/bash
# A Type-2 function as its firmware set it up: its memory becomes a node, and its
# engine and the CPU see each other's writes there.
# machine: type2

. /cxlmem/tests/vm/type2.sh

fn=$(type2_functions)
like "$(lspci -n -s "$fn")" "1200: 1234:7432" "a processing accelerator is there"
like "$(lspci -vvv -s "$fn")" "CXLCap:	Cache\\+ IO\\+ Mem\\+" "it is a Type-2 function"

run_ok cxlmemctl bind "$fn"
measure_device
is "$(attr source)" firmware "its decoder is committed"
run_ok cxlmemctl online cxlmem0
node=$(attr node)
is "$(mib_of "$node" MemTotal)" "$mib" "all of its memory is node $node"
is "$(zones)" Movable "all of it is movable"

for where in 0 "$node"; do
	is "$(t2run "$fn" "$where" physical virtual invalidate atomics ping-pong)" \
"physical ok
virtual ok
invalidate ok
atomics ok
ping-pong ok" "the engine and the CPU work on the same memory of node $where"
done
is "$(t2run "$fn" 0 hot)" "hot 3 reports
hot ok" "the engine reports host pages that it often uses"
is "$(t2run "$fn" "$node" hot)" "hot 0 reports
hot ok" "and no pages of its own"

start_pattern "$node" 64 -w
run_ok cxlmemctl offline cxlmem0
intact $pattern "a program's data is intact after offline"
stop_pattern $pattern

# The same memory lent to the OS: the engine works on what is there, as in mode system,
# while others claim theirs.
use_mode cma
start_pattern "$node" 64 -w
user=$pattern
start_program claim hold 128
claim=$pattern
is "$(t2run "$fn" "$node" physical virtual atomics ping-pong)" "physical ok
virtual ok
atomics ok
ping-pong ok" "the engine and the CPU work on memory that is lent"
intact "$claim" "what is claimed is intact"
kill -9 "$claim"
wait_for 10 eval '[ "$(attr cma/claimed)" = 0 ]'
run_ok cxlmemctl offline cxlmem0
intact "$user" "and so is the data of a program on it"
stop_pattern "$user"
run_ok cxlmemctl unbind cxlmem0

done_testing
