#!/bin/bash
# Several processes move, create, drop and fork at random, on a device that is too
# small for them, while the mode changes under them, and some are killed. Then
# garbage into every request. CXLMEM_SEED and CXLMEM_SECONDS (default 8,
# or 60 on the debug kernel) say more.
# machine: soft
# memory: 3G
# timeout: 300
# check: 7.2

. /cxlmem/tests/vm/cxlmem.sh

seed=${CXLMEM_SEED:-1} seconds=${CXLMEM_SECONDS:-$((slowness > 1 ? 60 : 8))}
diag "seed $seed"
# So small, and almost full, that a slow kernel is through with it soon, too.
read -r start size < <(soft_reserved)
size=$((size / slowness / slowness / 2 * 2)) unused=$((slowness > 1 ? 4 : 8))
bind_device "$start+${size}M"
attr mode driver

for policy in deny evict; do
	attr policy $policy
	# What is left of the device is less than they want.
	start_program onboard hold -h $((size - unused))
	churners=()
	for i in 1 2 3 4; do
		onboard churn "$seconds" $((seed + i)) >"/tmp/churn.$i" 2>&1 &
		churners+=($!)
	done
	victims=0 switches=0 end=$((SECONDS + seconds))
	while [ $SECONDS -lt $end ]; do
		onboard churn 60 $((seed + SECONDS)) >/dev/null 2>&1 &
		victim=$!
		sleep 1
		# Who evicts all the time is not disturbed by that.
		[ $policy = evict ] || {
			attr mode offline 2>/dev/null && attr mode driver && switches=$((switches + 1))
		}
		kill -9 $victim
		wait $victim 2>/dev/null
		victims=$((victims + 1))
	done
	for i in 1 2 3 4; do
		wait "${churners[i - 1]}"
		ok $? "$policy: process $i has found all that it wrote: $(tail -n 1 /tmp/churn.$i)"
	done
	case $policy in
	deny) ok "$([ $switches -gt 0 ]; echo $?)" "the mode was left $switches times" ;;
	evict) ok "$([ "$(attr pages/evicted)" -gt 0 ]; echo $?)" "$(attr pages/evicted) pages were evicted" ;;
	esac
	ok "$([ $victims -gt 0 ]; echo $?)" "$victims were killed"
	intact "$pattern" "so has the one that only watched"
	stop_pattern "$pattern"
	is "$(attr mode) $(attr pages/used)" "driver 0" "the device is empty"
done

fuzzers=()
for i in 1 2; do
	onboard fuzz "$seconds" $((seed + i)) >"/tmp/fuzz.$i" 2>&1 &
	fuzzers+=($!)
done
for i in 1 2; do
	wait "${fuzzers[i - 1]}"
	ok $? "garbage changes nothing that it should not: $(tail -n 1 /tmp/fuzz.$i)"
done
is "$(attr mode) $(attr pages/used)" "driver 0" "the device is empty"
run_ok attr mode offline

done_testing
