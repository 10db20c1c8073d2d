#!/bin/bash
# Bad input: a clear error each, and nothing changed.
# machine: type3
# cpus: 1
# check: 6.12

. /cxlmem/tests/vm/cxlmem.sh

fn=$(cxl_function)
fails_with 1 "no.*(device|cxlmem0)" cxlmemctl online cxlmem0
fails_with 1 "no such|no CXL|does not exist|there is no" cxlmemctl bind 0000:7f:00.0
fails_with 1 "CXL" cxlmemctl bind 0000:00:00.0
ok "$([ ! -e /sys/bus/pci/devices/0000:00:00.0/driver ]; echo $?)" "a function without CXL.mem is left alone"
is "$(cat /sys/bus/pci/devices/0000:00:00.0/driver_override)" "(null)" "and without an override"

# The driver itself refuses such a function, too.
modprobe cxlmem_pci
other=$(lspci -D | awk '/Host bridge/ { print $1; exit }')
echo cxlmem_pci >"/sys/bus/pci/devices/$other/driver_override"
echo "$other" >/sys/bus/pci/drivers_probe 2>/dev/null
like "$(dmesg)" "$other: .*not a CXL device" "the driver says what is wrong with it"
echo >"/sys/bus/pci/devices/$other/driver_override"

bind_device
before=$(grep . $SYS/{mode,zone,node,memmap_on_memory}; cat /proc/iomem)
fails_with 1 "cxlmem0" cxlmemctl online cxlmem9
fails_with 2 "offline.*system|modes" cxlmemctl mode cxlmem0 banana
fails_with '1|2' "movable" cxlmemctl online cxlmem0 --zone banana
fails_with '1|2' "node" cxlmemctl online cxlmem0 --node 77
fails_with '1|2' "node 0|CPU" cxlmemctl online cxlmem0 --node 0
fails_with 2 "" cxlmemctl online cxlmem0 --node one
fails_with 2 "" cxlmemctl online cxlmem0 --banana
fails_with 2 "" cxlmemctl online
fails_with 2 "" cxlmemctl banana
fails_with 1 "memmap_on_memory" cxlmemctl online cxlmem0 --memmap on
is "$(grep . $SYS/{mode,zone,node,memmap_on_memory}; cat /proc/iomem)" "$before" "nothing has changed"

# The attributes themselves.
refused() {
	local out
	out=$(bash -c "echo '$2' >$SYS/$1" 2>&1) && { ok 1 "'$2' into $1 is refused"; return; }
	like "$(attr last_error)" "$3" "'$2' into $1 is refused, with the reason"
}
refused mode banana "no such mode"
refused mode "" "no such mode"
refused zone normal "movable or kernel"
refused node 77 "cannot exist.*0-1"
refused node -1 "must be a number"
refused node "1x" "must be a number"
refused node 4294967297 "must be a number"
refused node "1 forced" "must be a number"
refused node "1 force x" "must be a number"
refused node 0 "has CPUs"
refused memmap_on_memory 2 "0 or 1"
refused memmap_on_memory 1 "memory_hotplug.memmap_on_memory=1"
is "$(grep . $SYS/{mode,zone,node,memmap_on_memory}; cat /proc/iomem)" "$before" "nothing has changed"
cxlmemctl online cxlmem0 >/dev/null
for setting in "zone kernel" "node 1" "memmap_on_memory 0"; do
	# shellcheck disable=SC2086 # its name and value
	refused $setting "in mode offline only"
done
is "$(attr last_error)" "memmap_on_memory can be set in mode offline only, and the mode is system" "the reason is kept"
attr mode system
is "$(attr last_error)" "" "until the next write succeeds"

# Not root.
for command in "online cxlmem0" "offline cxlmem0" "mode cxlmem0 offline" "evacuate cxlmem0" \
	"bind $fn" "unbind cxlmem0" "auto cxlmem0"; do
	# shellcheck disable=SC2086 # a command and its arguments
	fails_with 1 "root" setpriv --reuid 65534 --regid 65534 --clear-groups cxlmemctl $command
done
is "$(setpriv --reuid 65534 --regid 65534 --clear-groups cxlmemctl mode cxlmem0)" system "anyone can look"
is "$(setpriv --reuid 65534 --regid 65534 --clear-groups cxlmemctl list -n -o NAME)" cxlmem0 "and list"

# Forced, since the owner insists.
run_ok cxlmemctl online cxlmem0 --node 0 --force
is "$(cat "$(blocks | head -1)"/node0/uevent 2>/dev/null; ls -d "$(blocks | head -1)"/node* | grep -o 'node[0-9]*$')" node0 "a CPU's node is used when forced"
run_ok cxlmemctl offline cxlmem0

done_testing
