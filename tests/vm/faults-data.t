#!/bin/bash
# The same for the operations that find data on the node.
# machine: type3
# kernels: debug
# timeout: 600

. /cxlmem/tests/vm/faults.sh

fn=$(unbound_function)
sweep_all -d pci "$fn" -- "$@"
like "$(hdm "$fn" show)" "^open" "the decoder is open"

done_testing
