#!/bin/bash
# Each allocation of each operation on a PCI function fails once: the operation
# is done then or has changed nothing, no data is lost, and it can be done again.
# Here: the operations that move no data.
# machine: type3
# kernels: debug
# timeout: 300

. /cxlmem/tests/vm/faults.sh

fn=$(unbound_function)
sweep_all pci "$fn" -- "$@"
like "$(hdm "$fn" show)" "^open" "the decoder is open"

done_testing
