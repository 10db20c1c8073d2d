#!/bin/bash
# Memory of a Type-2 function that the kernel is told is bad, as it is when a CPU consumes
# poison: the program that has it gets SIGBUS, no other does, and the rest of it goes.
# machine: type2
# check: 7.2

. /cxlmem/tests/vm/type2.sh

# Like the kernel's own messages about what it has done with such a page.
expected_log='/Memory failure: \|mce: /d'

fn=$(type2_functions)
bind_device "$fn"

# lose ADDRESS: have the kernel know that a page is bad.
lose() { echo "$1" >/sys/devices/system/memory/hard_offline_page; }

# page_of PID [ADDRESS]: the physical address of a page that the process has on the device,
# or of that one, if it has it.
page_of() {
	local first=${2:-$(attr start)} size
	size=${2:+4096}
	perl -e '
		my ($pid, $first, $end) = ($ARGV[0], map { hex } @ARGV[1, 2]);
		open my $maps, "<", "/proc/$pid/maps" or die;
		open my $pages, "<:raw", "/proc/$pid/pagemap" or die;
		while (<$maps>) {
			/^([0-9a-f]+)-([0-9a-f]+) rw/ or next;
			my ($at, $end_of_it) = (hex $1, hex $2);
			sysseek $pages, $at / 512, 0;
			sysread $pages, my $entries, ($end_of_it - $at) / 512 or next;
			for my $entry (unpack "Q*", $entries) {
				my $where = ($entry & (1 << 55) - 1) * 4096;
				next unless $entry >> 63 && $where >= $first && $where < $end;
				printf "0x%x\n", $where;
				exit;
			}
		}' "$1" "$first" "$(printf %x $((first + ${size:-$(attr size)})))"
}

for mode in system driver cma; do
	use_mode $mode
	start_user $mode 8
	other=$pattern
	start_user $mode 8 -s
	bad=$(page_of "$pattern")
	like "$bad" "^0x" "a page of a program's is at $bad"
	run_ok lose "$bad"
	kill -USR1 "$pattern"
	wait "$pattern"
	is $? 135 "who reads it gets SIGBUS"
	intact "$other" "others do not notice"
	if [ $mode = driver ]; then
		like "$(dmesg)" "page at $bad has a memory error" "the log tells"
		stop_pattern "$other"
		wait_for 10 eval '[ "$(attr pages/used)" = 0 ]'
		start_user driver $((mib - 1))
		other=$pattern
		is "$(page_of "$other" "$bad")" "" "nobody gets the page again"
	fi
	like "$(cxlmemctl list)" "cxlmem0 .* $mode" "the device goes on"
	run_ok cxlmemctl offline cxlmem0
	intact "$other" "and the rest of it can be evacuated"
	stop_pattern "$other"
done

done_testing
