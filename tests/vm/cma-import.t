#!/bin/bash
# Other drivers import claims: vgem, and vivid, by the CPU and by DMA.
# machine: type3
# size: 256M
# timeout: 300

. /cxlmem/tests/vm/cxlmem.sh

bind_device
enter_cma on
modprobe vgem
wait_for 20 ls /dev/dri/card0
run_ok claim vgem
for allocator in 0 1; do
	modprobe vivid n_devs=1 node_types=0x1 allocators=$allocator
	wait_for 20 ls /dev/video0
	run_ok claim vivid
	rmmod vivid
done
is "$(attr cma/claimed)" 0 "nothing is left"
run_ok attr mode offline
done_testing
