#!/bin/bash
# A host bridge with two root ports: cxlmem does not guess, but takes what the
# firmware has committed.
# machine: type3-2rp
# size: 512M
# cpus: 1
# check: 6.12

. /cxlmem/tests/vm/cxlmem.sh

fn=$(cxl_function)
fails_with 1 "2 root ports" cxlmemctl bind "$fn"
like "$(hdm "$fn" show)" "^open" "no decoder was touched"
is "$(ls /sys/class/cxlmem)" "" "nothing was bound"
is "$(cat "/sys/bus/pci/devices/$fn/driver_override")" "(null)" "no override is left"

done_testing
