#!/bin/bash
# udev and systemd bring a device that appears into its configured mode.
# machine: type3
# cpus: 1
# init: systemd
# timeout: 300
# check: 7.2

. /cxlmem/tests/vm/cxlmem.sh

fn=$(cxl_function)
is "$(cat /proc/1/comm)" systemd "systemd runs this machine"
id=$(lspci -Dn -s "$fn" | awk '{ print $3 }')

# configure LINES: the configuration file has just this section.
configure() {
	printf '[auto-online test]\n%s\n' "$1" >/etc/cxlmem/cxlmem.conf
}

# How often the unit that udev asks for has come to its end.
runs() {
	journalctl -u cxlmem-auto@cxlmem0.service -o cat | grep -cE '^Finished |^Failed to start '
}

# The device appears, and the unit runs.
appear() {
	local before
	before=$(runs)
	bind_device
	wait_for 60 eval "[ \$(runs) -gt $before ]"
}
disappear() {
	cxlmemctl unbind cxlmem0 >/dev/null 2>&1
	systemctl reset-failed cxlmem-auto@cxlmem0.service 2>/dev/null
}

# As installed: all commented out.
appear
is "$(attr mode)" offline "without a rule for it, a device is left alone"
is "$(systemctl is-failed cxlmem-auto@cxlmem0.service)" inactive "and that is no failure"
disappear

for rule in "match.pci = $fn" "match.id = $id" "match.serial = 0x1234"; do
	configure "$rule
mode = system"
	appear
	is "$(attr mode) $(blocks_in_state online) $(zones)" "system $nblocks Movable" "$rule: on line by itself"
	disappear
done

configure "match.serial = 0x9999
mode = system"
appear
is "$(attr mode)" offline "another device's rule leaves it alone"
disappear

configure "match.pci = $fn
mode = sistem"
appear
is "$(attr mode)" offline "a mistake in the file changes nothing"
like "$(systemctl is-failed cxlmem-auto@cxlmem0.service)" failed "the unit has failed"
fails_with 1 "cxlmem.conf:3: .*sistem" cxlmemctl auto cxlmem0
disappear

# Last, since memory of a kernel zone may be impossible to take back.
configure "match.pci = $fn
mode = system
zone = kernel"
appear
is "$(attr mode) $(attr zone)" "system kernel" "the zone is the configured one"

done_testing
