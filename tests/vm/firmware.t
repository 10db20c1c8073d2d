#!/bin/bash
# Decoders that the firmware has committed: used as they are, or refused.
# machine: type3
# size: 512M
# debug-size: 512M
# cpus: 1
# check: 6.12

. /cxlmem/tests/vm/cxlmem.sh

fn=$(cxl_function)
# Where the driver itself would put it.
bind_device
base=$(attr start) size=$(attr size)
cxlmemctl unbind cxlmem0 >/dev/null

hdm "$fn" commit "$base" $((size / 2)) >/dev/null
run_ok cxlmemctl bind "$fn"
is "$(attr source)" firmware "the committed decoder is used"
is "$(attr start) $(attr size)" "$base $((size / 2))" "with its base and size"
run_ok cxlmemctl online cxlmem0
is "$(mib_of "$(attr node)" MemTotal)" $((mib / 2)) "half of the device is a node"
start_pattern "$(attr node)" $((mib * 4 / 10))
run_ok cxlmemctl offline cxlmem0
intact $pattern "data is intact after offline"
stop_pattern $pattern
run_ok cxlmemctl unbind cxlmem0
like "$(hdm "$fn" show)" "^committed base $base" "the firmware's decoder stays committed"

hdm "$fn" commit 0x10000000 0x10000000 >/dev/null
fails_with 1 "overlaps System RAM" cxlmemctl bind "$fn"
hdm "$fn" commit 0xf0000000 0x20000000 >/dev/null
fails_with 1 "held by another driver|is held by|is taken" cxlmemctl bind "$fn"
hdm "$fn" clear >/dev/null
run_ok cxlmemctl bind "$fn"
is "$(attr source)" driver "an open decoder is committed again"

done_testing
