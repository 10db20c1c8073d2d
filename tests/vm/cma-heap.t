#!/bin/bash
# The device as a dma-heap, where the kernel lets modules add one. A heap cannot be
# removed, but the device, and all modules but one, can.
# machine: type3
# timeout: 300
# kernels: 7.2 debug

. /cxlmem/tests/vm/cxlmem.sh

fn=$(cxl_function)
bind_device
ok "$([ ! -e /dev/dma_heap/cxlmem0 ]; echo $?)" "no heap before mode cma"
for lend in off on; do
	enter_cma $lend
	run_ok claim heap
	attr mode offline
	is "$(claim heap-gone)" EBUSY "the heap has nothing in mode offline"
done
echo "$fn" >/sys/bus/pci/drivers/cxlmem_pci/unbind
is "$(claim heap-gone)" ENODEV "it has no device after unbind"
rmmod cxlmem_pci && rmmod cxlmem_core
ok $? "the modules can go"
fails_with 1 "in use" rmmod cxlmem_heap
is "$(claim heap-gone)" ENODEV "the heap's stays"
bind_device
enter_cma off
run_ok claim heap
run_ok attr mode offline
done_testing
