#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# How long does it take until a device's memory is online: `cxlmemctl online`
# against `daxctl reconfigure-device -m system-ram` (kmem)? Same VM, same
# device, in turns; once for 1 GiB and once for 16 GiB (sparse backing).
# machine: type3 big

. /cxlmem/tests/bench/bench.sh

fn=$(lspci -Dn -d ::0502 | awk '{ print $1; exit }')
# No auto-onlining, so that both tools online the blocks themselves.
echo offline >/sys/devices/system/memory/auto_online_blocks
modprobe -a cxl_acpi cxl_pci cxl_mem cxl_port dax_cxl device_dax kmem

before_cxlmem() { cxlmemctl bind "$fn" >/dev/null 2>&1; }
cxlmem() { cxlmemctl online cxlmem0 >/dev/null 2>&1; }
after_cxlmem() { cxlmemctl unbind cxlmem0 >/dev/null 2>&1; }

before_daxctl() {
	for _ in $(seq 100); do
		cxl create-region -t ram -d decoder0.0 -m "$(cxl list -M | sed -n 's/.*"memdev":"\(mem[0-9]*\)".*/\1/p')" >/dev/null 2>&1 && break
		sleep 0.1
	done
	# Created online-less under kmem; out of it, so that daxctl has it all to do.
	daxctl offline-memory dax0.0 >/dev/null 2>&1
	daxctl reconfigure-device -m devdax -f dax0.0 >/dev/null 2>&1
}
daxctl_online() { daxctl reconfigure-device -m system-ram dax0.0 >/dev/null 2>&1; }
after_daxctl() {
	daxctl offline-memory dax0.0 >/dev/null 2>&1
	daxctl reconfigure-device -m devdax -f dax0.0 >/dev/null 2>&1
	cxl disable-region all >/dev/null 2>&1
	cxl destroy-region -f all >/dev/null 2>&1
}
setup_of cxlmem before_cxlmem after_cxlmem
setup_of daxctl_online before_daxctl after_daxctl

echo "$(($(lspci -Dn -d ::0502 | wc -l))) device, memory blocks of $(($((0x$(cat /sys/devices/system/memory/block_size_bytes))) >> 20)) MiB"
compare 7 cxlmem daxctl_online
