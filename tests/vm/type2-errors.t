#!/bin/bash
# A Type-2 function that breaks: poison, an engine that hangs, a lost link, errors
# reported by AER, and a card that is pulled out.
# machine: type2
# timeout: 300
# check: 7.2

. /cxlmem/tests/vm/type2.sh

fn=$(type2_functions)
bind_device "$fn"
run_ok cxlmemctl online cxlmem0
node=$(attr node)

engine_says() { t2run "$fn" "$node" status 2>&1; }
works="status 0 error 0
status ok"
is "$(engine_says)" "$works" "the engine works"

run_ok model 0 poison "$(attr start)" "$(attr size)"
is "$(engine_says)" "status 5 error 0x8
status ok" "it says that it has consumed poison"
run_ok model 0 unpoison
is "$(engine_says)" "$works" "without poison it works"

run_ok model 0 stick
is "$(t2run "$fn" "$node" stuck 2>&1)" "stuck ok" "a stuck engine does nothing"
echo 1 >"/sys/bus/pci/devices/$fn/reset"
is "$(engine_says)" "$works" "after a function level reset it works"
like "$(model 0 status | head -n 1)" "hdm $(attr start) .* committed" "the decoder is still committed"

command=$(setpci -s "$fn" COMMAND)
run_ok model 0 link down
is "$(setpci -s "$fn" 0.l)" ffffffff "without a link all reads give ones"
like "$(engine_says)" "is not a t2accel: 0xffffffff" "in its registers, too"
run_ok model 0 link up
# As a driver has to: the function was reset.
setpci -s "$fn" COMMAND="$command"
is "$(engine_says)" "$works" "when the link is back it works"

# aer SEVERITY [io] RESULT: the kernel hears of an error and its recovery has that result.
aer() {
	local severity=$1 io=
	[ "$2" != io ] || { io=io; shift; }
	dmesg -C
	run_ok model 0 error "$severity" $io
	report_error 0 "$severity"
	wait_for 60 eval 'dmesg | grep -q "device recovery"'
	like "$(dmesg)" "AER: .*Uncorrectable \\((Non-)?Fatal\\).*device recovery $2" \
		"a $severity error${io:+ of PCIe alone}: recovery is $2"
	diag "$(dmesg | grep -iE 'aer|pcieport|cxl' | head -n 12)"
}

# What was in use is evacuated before the function is reset, and can be used again then.
start_pattern "$node" 16 -w
aer nonfatal io successful
like "$(dmesg)" "none of CXL.mem: the memory stays in use" "the memory has no part in it"
is "$(attr mode)$(attr device_error)" system "it stays in use"
intact $pattern "with all that is in it"
for mode in system driver cma; do
	for severity in nonfatal fatal; do
		use_mode $mode
		stop_pattern $pattern
		start_user $mode 16 -w
		aer $severity successful
		like "$(dmesg)" "uncorrectable errors 0x80, the first is: memory data ECC" "the driver says which"
		is "$(attr mode)" offline "the memory was in mode $mode, and is evacuated"
		like "$(attr device_error)" "^$severity PCIe error.*; the memory was evacuated, it was in mode $mode; the device has recovered$" \
			"it says what has happened"
		intact $pattern "nothing is lost"
	done
done
like "$(cxlmemctl doctor)" "device: cxlmem0: fatal PCIe error" "the doctor tells it"
like "$(model 0 status | head -n 1)" "committed" "the decoder is committed"
run_ok cxlmemctl online cxlmem0
is "$(attr device_error)" "" "who puts it to use again knows of it"
is "$(engine_says)" "$works" "the engine works"
stop_pattern $pattern

# A page with unfinished I/O keeps the memory in use through the reset.
echo 2 >/sys/module/cxlmem_core/parameters/remove_timeout
numactl --membind "$node" pin 16 >/tmp/pin &
wait_for 10 test -s /tmp/pin
start_pattern "$node" 16
aer fatal successful
is "$(attr mode)" system "pinned, it stays in use"
like "$(attr device_error)" "^fatal PCIe error; the memory stays in mode system: memory block [0-9]+ .*recovered$" "it says so"
intact $pattern "this model's memory survives a reset"
kill "$(cat /tmp/pin)"
stop_pattern $pattern

start_pattern "$node" 16 -w
run_ok model 0 pull
is "$(setpci -s "$fn" 0.l)" ffffffff "the card is gone"
run_ok cxlmemctl offline cxlmem0
intact $pattern "this model's memory survives that, and can be evacuated"
stop_pattern $pattern

done_testing
