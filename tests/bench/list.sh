#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# How long do `cxlmemctl list`, `daxctl list` and `lsmem` take? They see the
# same memory: one device with 8 memory blocks online, under each driver.
# machine: type3

. /cxlmem/tests/bench/bench.sh

fn=$(lspci -Dn -d ::0502 | awk '{ print $1; exit }')
cxlmemctl bind "$fn" >/dev/null && cxlmemctl online cxlmem0 >/dev/null || exit

cxlmem_list() { cxlmemctl list; }
dax_list() { daxctl list; }
lsmem_list() { lsmem; }
compare 15 cxlmem_list lsmem_list dax_list

echo "with a dax device to list, under the kernel's own drivers:"
cxlmemctl unbind cxlmem0 >/dev/null
modprobe -a cxl_acpi cxl_pci cxl_mem cxl_port dax_cxl kmem
cxl create-region -t ram -d decoder0.0 -m mem0 >/dev/null || exit
compare 15 cxlmem_list lsmem_list dax_list
