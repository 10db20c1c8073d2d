#!/bin/bash
# A Type-2 function that no firmware has set up.
# machine: type2-open
# check: 7.2

. /cxlmem/tests/vm/type2.sh

fn=$(type2_functions)
read -r _ base size _ <<<"$(model 0 status | head -n 1)"
like "$(hdm "$fn" show)" "^open" "its decoder is open"
fails_with 1 "fixed memory windows" cxlmemctl bind "$fn"

# The platform routes one range to it.
like "$(hdm "$fn" commit 0x200000000 "$size" 2>&1)" "did not commit" "the device refuses to decode another range"
run_ok hdm "$fn" commit "$base" "$size"
run_ok cxlmemctl bind "$fn"
is "$(attr source) $(attr start) $(attr size)" "firmware $base $((size))" "committed, it is used"
run_ok cxlmemctl online cxlmem0
is "$(t2run "$fn" "$(attr node)" physical)" "physical ok" "the engine works on it"
run_ok cxlmemctl offline cxlmem0
run_ok cxlmemctl unbind cxlmem0

hdm "$fn" clear >/dev/null
like "$(model 0 status | head -n 1)" "open" "the decoder is open again"

done_testing
