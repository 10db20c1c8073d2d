#!/bin/bash
# Leaving mode "driver" with nine tenths of the device in use: for each other mode,
# by unbind and by rmmod. All data is intact, on the host.
# check: 7.2
# machine: type3
# timeout: 400

. /cxlmem/tests/vm/cxlmem.sh

fn=$(cxl_function)
fill() {
	attr mode driver && start_program onboard hold "$@" "$full"
}

bind_device
for mode in $(attr modes); do
	[ "$mode" != driver ] || continue
	fill
	is "$(attr pages/used)" "$((full << 20))" "$full of $mib MiB are in use"
	began=$(date +%s%N)
	run_ok attr mode "$mode"
	diag "to $mode in $((($(date +%s%N) - began) / 1000000)) ms"
	is "$(attr mode)" "$mode" "mode $mode"
	intact "$pattern" "data is intact after the switch to $mode"
	stop_pattern "$pattern"
	attr mode offline
done
like "$(attr pages/evacuated)" "^[1-9]" "what was evacuated is counted"

# A signal stops it, and what is on the device stays usable there.
fill
bash -c "echo offline >$SYS/mode" 2>/dev/null &
writer=$!
wait_for 20 eval '[ "$(attr progress)" != idle ]'
kill -TERM $writer
wait $writer
case "$(attr mode) $(attr last_error)" in
"driver stopped by a signal"*) ok 0 "a signal stops it" ;;
"offline ") ok 0 "the signal came too late" ;;
*) ok 1 "a signal leaves one mode or the other: $(attr mode), $(attr last_error)" ;;
esac
diag "$(attr last_error)"
intact "$pattern" "data is intact after the signal"
attr mode driver
start_program onboard hold -n 16
ok $? "the device goes on"
intact "$pattern" "for others, too"
kill -9 $(pgrep onboard)
wait
is "$(attr pages/used)" 0 "and gets free"

attr mode offline
fill -w -s
echo "$fn" >/sys/bus/pci/drivers/cxlmem_pci/unbind
ok "$([ ! -e $SYS ]; echo $?)" "unbound"
intact "$pattern" "data is intact after unbind"
stop_pattern "$pattern"
is "$(grep -c cxlmem /proc/iomem)" 0 "the range is free"

echo "$fn" >/sys/bus/pci/drivers_probe
fill
rmmod cxlmem_pci
ok "$([ ! -e $SYS ]; echo $?)" "rmmod of cxlmem_pci"
intact "$pattern" "data is intact after rmmod"
stop_pattern "$pattern"
run_ok rmmod cxlmem_core

done_testing
