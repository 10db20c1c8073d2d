#!/bin/bash
# A Type-2 function that breaks: poison, an engine that hangs, a lost link, errors
# reported by AER, and a card that is pulled out.
# machine: type2
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

# The last one resets the bus, and no driver is there to set the function up again.
for severity in nonfatal fatal; do
	dmesg -C
	run_ok model 0 error $severity
	report_error 0 $severity
	wait_for 20 eval 'dmesg | grep -q "AER:.*$fn"'
	like "$(dmesg)" "AER: .*Uncorrectable \\((Non-)?Fatal\\).*" "the kernel hears of a $severity error"
	diag "$(dmesg | grep -iE 'aer|pcieport|cxl' | head -n 12)"
done

start_pattern "$node" 64 -w
run_ok model 0 pull
is "$(setpci -s "$fn" 0.l)" ffffffff "the card is gone"
run_ok cxlmemctl offline cxlmem0
intact $pattern "this model's memory survives that, and can be evacuated"
stop_pattern $pattern

done_testing
