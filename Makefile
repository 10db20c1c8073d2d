# SPDX-License-Identifier: GPL-2.0
# `make help` lists what there is. All but `install` happens in the lab, which
# sets itself up (see tests/lab).

KERNEL ?=
MACHINE ?= type3
TEST ?=
TOOL ?=
JOBS ?= 2
MINUTES ?= 10
STOPS ?= 100
TARGET ?=
SEED := $(or $(SEED),$(shell date +%s))

lab := tests/lab

help:
	@sed -n 's/^#: //p' $(MAKEFILE_LIST)

#: make demo      show the main job in a virtual machine
demo: build
	@$(lab)/vm -t 120 /cxlmem/tests/demo.sh

#: make demo-type2  show an accelerator at work on a program's memory, in a virtual machine
demo-type2: build
	@$(lab)/vm -m type2 -t 180 /cxlmem/tests/demo-type2.sh

#: make check     run the tests  [KERNEL=6.12|7.2|debug] [TEST=name...] [JOBS=n]
check: $(if $(findstring debug,$(or $(KERNEL)$(TEST),debug)),debug-kernel) build
	@$(lab)/in-root /cxlmem/tests/run -j $(JOBS) $(if $(KERNEL),-k $(KERNEL)) $(TEST)

#: make shell     a virtual machine to try things out  [KERNEL=7.2|6.12] [MACHINE=type3|soft|type2|...]
shell: build
	@$(lab)/vm -I $(if $(KERNEL),-k $(KERNEL)) -m $(MACHINE) /cxlmem/$(lab)/guest/shell

#: make build     build the modules for all kernels, and the user space, in the lab
build:
	@$(lab)/build

#: make lab       set up the lab: a Debian root with QEMU, kernels and compilers (once)
lab:
	@$(lab)/setup

#: make fuzz      feed nonsense to all that parses  [MINUTES=10] [TARGET=config]
fuzz: lab
	@$(lab)/in-root /cxlmem/tests/fuzz/run -m $(MINUTES) $(TARGET)

#: make coverage  which functions the unit tests and the debug kernel's last tests do not reach
coverage: build
	@$(lab)/in-root /cxlmem/tests/unit/coverage
	@$(lab)/coverage-driver

#: make debug-kernel  build a kernel with KASAN, lockdep, kmemleak and fault injection (once)
debug-kernel:
	@$(lab)/debug-kernel

#: make lint      static analysis of everything  [TOOL=name...]
lint: build
	@$(lab)/in-root /cxlmem/tests/lint/run $(TOOL)

#: make matrix    the main job on a kernel of each series from 6.12 to 7.3 that Debian's mirror has
matrix:
	@$(lab)/matrix

#: make faults    every allocation of every operation fails once; hours  (needs debug-kernel)
faults: build
	@$(lab)/vm -k debug -m type3 -s 256M -a "kmemleak=on slab_debug=F" -t 36000 \
		env CXLMEM_FAULTS=all /cxlmem/tests/vm/faults.t
	@$(lab)/vm -k debug -m type3 -s 256M -t 36000 env CXLMEM_FAULTS=all /cxlmem/tests/vm/faults-data.t
	@$(lab)/vm -k debug -m soft -s 256M -t 36000 env CXLMEM_FAULTS=all /cxlmem/tests/vm/faults-range.t
	@$(lab)/vm -k debug -m soft -s 256M -a "kmemleak=on slab_debug=F" -t 36000 \
		env CXLMEM_FAULTS=all /cxlmem/tests/vm/faults-driver.t
	@$(lab)/vm -k debug -m soft -s 256M -t 36000 env CXLMEM_FAULTS=all /cxlmem/tests/vm/faults-cma.t

#: make fuzz-vm   garbage into the driver's files  [MINUTES=10] [SEED=n]  (needs debug-kernel)
fuzz-vm: build
	@$(lab)/vm -k debug -m type3 -s 256M \
		-a "kmemleak=on slab_debug=F $(shell sed -n 's/^# append: //p' tests/vm/fuzz.t)" \
		-t $$(($(MINUTES) * 60 + 600)) \
		env CXLMEM_SEED=$(SEED) CXLMEM_SECONDS=$$(($(MINUTES) * 60)) /cxlmem/tests/vm/fuzz.t

#: make soak      random transitions, kills and rebinds under load  [MINUTES=10] [SEED=n] [KERNEL=7.2]
soak: build
	@$(lab)/vm $(if $(KERNEL),-k $(KERNEL)) -m type3 $(if $(filter debug,$(KERNEL)),-s 256M) -M 3G \
		-t $$(($(MINUTES) * 60 + 900)) -l /cxlmem/build/log/soak.console \
		/cxlmem/tests/vm/soak $(MINUTES) $(SEED)

#: make stops     evacuations under load, stopped at random moments  [STOPS=100] [SEED=n] [KERNEL=7.2]
stops: build
	@$(lab)/vm $(if $(KERNEL),-k $(KERNEL)) -m type3 -s 256M -t 3600 -l /cxlmem/build/log/stops.console \
		env CXLMEM_STOPS=$(STOPS) CXLMEM_SEED=$(SEED) /cxlmem/tests/vm/evacuate-stop.t

#: make bench     compare with the stock tools; figures, no tests  [KERNEL=7.2]
bench: build
	@for bench in tests/bench/online.sh tests/bench/list.sh tests/bench/move.sh tests/bench/claim.sh tests/bench/evacuate.sh; do $(lab)/bench $$bench $(KERNEL) || exit; done

#: make install   build and install on this host  [DESTDIR=] [PREFIX=/usr]
install:
	$(MAKE) -C driver
	$(MAKE) -C driver modules_install $(if $(DESTDIR),INSTALL_MOD_PATH=$(abspath $(DESTDIR)))
	$(MAKE) -C cxlmemctl install

#: make clean     remove what was built (the lab's cache stays)
clean:
	rm -rf build

.PHONY: help demo demo-type2 check shell build lab debug-kernel lint matrix bench install clean fuzz coverage faults fuzz-vm soak stops
