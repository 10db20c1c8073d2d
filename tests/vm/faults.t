#!/bin/bash
# Each allocation of each operation on a PCI function fails once: the operation
# is done then or has changed nothing, no data is lost, and it can be done again.
# machine: type3
# kernels: debug
# debug-size: 256M
# timeout: 300

. /cxlmem/tests/vm/faults.sh

fn=$(cxl_function)
# Loading the driver and binding are operations of their own here.
echo 0 >/sys/bus/pci/drivers_autoprobe
[ ! -e "/sys/bus/pci/devices/$fn/driver" ] || echo "$fn" >"/sys/bus/pci/devices/$fn/driver/unbind"
echo cxlmem_pci >"/sys/bus/pci/devices/$fn/driver_override"

sweep_all pci "$fn" -- "$@"
like "$(hdm "$fn" show)" "^open" "the decoder is open"

done_testing
