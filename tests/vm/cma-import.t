#!/bin/bash
# Other drivers import claims: vgem by DMA addresses, and vivid, which writes to them.
# check: 7.2
# machine: type3
# timeout: 300
# kernels: 6.12 7.2

. /cxlmem/tests/vm/cxlmem.sh

bind_device
enter_cma on
modprobe vgem
wait_for 20 ls /dev/dri/card0
run_ok claim vgem
modprobe vivid n_devs=1 node_types=0x1
wait_for 20 ls /dev/video0
run_ok claim vivid
rmmod vivid
# With DMA it is a device of 32 address bits, which cannot reach the memory.
modprobe vivid n_devs=1 node_types=0x1 allocators=1
wait_for 20 ls /dev/video0
fails_with 1 "Invalid argument" claim vivid
rmmod vivid
is "$(attr cma/claimed)" 0 "nothing is left"
run_ok attr mode offline
done_testing
