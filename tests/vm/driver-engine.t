#!/bin/bash
# What vendors' drivers use: the functions that move memory of a process, and a
# device's own engine that copies the pages.
# check: 6.12
# machine: soft
# cpus: 1

. /cxlmem/tests/vm/cxlmem.sh

read -r start size < <(soft_reserved)
engine=/sys/kernel/debug/engine
mountpoint -q /sys/kernel/debug || mount -t debugfs debugfs /sys/kernel/debug
modprobe engine start="$start" size=$((size << 20))
ok $? "a driver of its own registers the memory"
measure_device
is "$(attr source)" other "in a way of its own"
all="0 7fffffffe000"
result() { cat $engine/result; }
copied() { cat $engine/copied; }

start_pattern 0 64
fails_with 1 "busy" bash -c "echo in $pattern $all >$engine/move"
attr mode driver
run_ok bash -c "echo in $pattern $all >$engine/move"
like "$(result)" "^moved=16[3-9][0-9]{2} " "a process is moved to the device"
moved=$(result | sed 's/moved=\([0-9]*\).*/\1/')
ok "$([ "$(copied)" -ge "$moved" ]; echo $?)" "$(copied) pages were copied by the engine, $moved have moved"
is "$(attr pages/used)" $((moved << 12)) "they are on the device"
run_ok bash -c "echo ask $pattern $all >$engine/move"
like "$(result)" "device=$moved\$" "where they are said to be"
intact "$pattern" "data is intact"

before=$(copied)
run_ok bash -c "echo out $pattern $all >$engine/move"
is "$(attr pages/used)" 0 "and off the device"
ok "$([ "$(copied)" -ge $((before + moved)) ]; echo $?)" "by the engine, too"
intact "$pattern" "data is intact"

# An engine that has failed in the middle has left garbage behind.
before=$(copied)
echo 1 >$engine/broken
run_ok bash -c "echo in $pattern $all >$engine/move"
is "$(copied)" "$before" "with a broken engine"
ok "$([ "$(cat $engine/refused)" -gt 0 ]; echo $?)" "which was asked"
like "$(result)" "^moved=16[3-9][0-9]{2} " "all is moved just the same"
intact "$pattern" "data is intact"
run_ok bash -c "echo out $pattern $all >$engine/move"
intact "$pattern" "data is intact"
echo 0 >$engine/broken

# Wrong requests, and processes that there are not.
fails_with 1 "Invalid" bash -c "echo in $pattern 1000 1 >$engine/move"
fails_with 1 "Invalid" bash -c "echo in $pattern fffffffffffff000 2000 >$engine/move"
fails_with 1 "No such process" bash -c "echo in 2 $all >$engine/move"

# The mode is left, with the engine's work, but not while it says no.
echo "in $pattern $all" >$engine/move
echo 1 >$engine/busy
fails_with 1 "" bash -c "echo offline >$SYS/mode"
is "$(attr mode)" driver "a device that cannot stop keeps its mode"
diag "$(attr last_error)"
echo 0 >$engine/busy
before=$(copied)
asked=$(cat $engine/quiesced)
run_ok attr mode offline
is "$(cat $engine/quiesced)" $((asked + 1)) "it is asked to stop before"
is "$(cat $engine/running)" Y "and told afterwards that it may go on"
ok "$([ "$(copied)" -gt "$before" ]; echo $?)" "the engine has moved the memory out"
intact "$pattern" "data is intact"

stop_pattern "$pattern"

# A process that ends meanwhile; a driver that goes while its device is in use.
attr mode driver
for ((i = 0; i < 5; i++)); do
	start_program pattern 32
	echo "in $pattern $all" >$engine/move 2>/dev/null &
	mover=$!
	kill -9 "$pattern"
	wait "$pattern" $mover
done
is "$(attr pages/used)" 0 "what processes had that were killed while they were moved is free"
start_program pattern 64
run_ok bash -c "echo in $pattern $all >$engine/move"
run_ok rmmod engine
ok "$([ ! -e $SYS ]; echo $?)" "the device is gone"
intact "$pattern" "data is intact"
stop_pattern "$pattern"
run_ok rmmod cxlmem_core

done_testing
