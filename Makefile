# allotrope: one non-recursive makefile. `make help` lists the targets.
# Variants live side by side in build/<variant>: SAN=address,undefined  SAN=thread  DEBUG=1

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

CC      ?= gcc
CXX     ?= g++
ifeq ($(origin CC),default)
CC      := gcc
endif
AR      ?= ar
PREFIX  ?= /usr/local
bindir   = $(PREFIX)/bin
libdir   = $(PREFIX)/lib/allotrope
mandir   = $(PREFIX)/share/man
docdir   = $(PREFIX)/share/doc/allotrope
incdir   = $(PREFIX)/include

comma   := ,
VARIANT := release
ifdef DEBUG
VARIANT := debug
endif
ifdef SAN
VARIANT := san-$(subst $(comma),-,$(SAN))
endif
ifdef CROSS
VARIANT := $(CROSS)-$(VARIANT)
CC      := $(CROSS)-gcc
AR      := $(CROSS)-ar
endif
OUT     := build/$(VARIANT)

ifdef V
Q :=
say = @:
else
Q := @
say = @printf '  %-8s %s\n'
endif

WARN := -Wall -Wextra -Wmissing-prototypes -Wstrict-prototypes -Wshadow -Wvla -Wundef
ifdef WERROR
WARN += -Werror
endif
OPT := -O2 -g
ifdef DEBUG
OPT := -O0 -g3
endif

BASE_CFLAGS := -std=gnu11 -D_GNU_SOURCE $(OPT) $(WARN) -Iinclude -MMD -MP
# The library lives inside other people's processes: nothing exported by accident,
# no lazy binding of its own, thread-local data at a fixed offset (initial-exec:
# the dynamic model calls __tls_get_addr, which may allocate), no calls that the
# compiler invents to functions that may be interposed.
LIB_CFLAGS  := $(BASE_CFLAGS) -Ipreload -fPIC -fvisibility=hidden -ftls-model=initial-exec \
	       -fno-builtin-malloc -fno-builtin-calloc -fno-builtin-realloc -fno-builtin-free \
	       -fno-omit-frame-pointer -fasynchronous-unwind-tables -fno-stack-protector \
	       -fcf-protection=none
ifeq ($(findstring clang,$(CC)),)
LIB_CFLAGS  += -fno-tree-loop-distribute-patterns
endif
# One unit for the optimiser: a nanosecond per event. The objects also hold plain code,
# for the tests that link them.
ifeq ($(DEBUG)$(findstring clang,$(CC)),)
LIB_LTO     := -flto -flto-partition=one
LIB_CFLAGS  += $(LIB_LTO) -ffat-lto-objects
endif
ifneq ($(filter aarch64%,$(CROSS)),)
LIB_CFLAGS  := $(filter-out -fcf-protection=none,$(LIB_CFLAGS))
endif
APP_CFLAGS  := $(BASE_CFLAGS) -Ianalyzer
APP_LIBS    := -ldw -lelf -lzstd -ljansson -liberty -lpthread -lm
# The library's objects are linked as they were compiled, not optimised anew for each test.
TEST_LIBS   := -fno-lto -lcmocka

ifdef SAN
SANFLAGS    := -fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all
APP_CFLAGS  += $(SANFLAGS)
endif

.SECONDEXPANSION:

# ---- sources ----
LIB_SRC  := $(sort $(wildcard preload/*.c preload/*.S))
APP_SRC  := $(sort $(wildcard analyzer/*/*.c))
LIB_OBJ  := $(addprefix $(OUT)/,$(addsuffix .o,$(basename $(LIB_SRC))))
APP_OBJ  := $(addprefix $(OUT)/,$(addsuffix .o,$(basename $(APP_SRC))))
MAIN_OBJ := $(OUT)/analyzer/main.o
# Everything of preload/ that a unit test can link without becoming interposed itself.
LIB_TESTABLE := $(filter-out $(OUT)/preload/hook_% $(OUT)/preload/init.o,$(LIB_OBJ))

UNIT_SRC := $(sort $(wildcard tests/unit/test_*.c))
UNIT_BIN := $(patsubst tests/unit/%.c,$(OUT)/tests/unit/%,$(UNIT_SRC))

.PHONY: all
all: $(OUT)/liballotrope.so $(OUT)/allotrope ## build the library and the analyzer

$(OUT)/liballotrope.so: $(LIB_OBJ) preload/liballotrope.map
	$(say) LD $@
	$(Q)$(CC) $(if $(LIB_LTO),$(LIB_CFLAGS)) -shared -o $@ $(LIB_OBJ) -Wl,--version-script=preload/liballotrope.map \
		-Wl,-z,now -Wl,-z,relro -Wl,-z,defs -Wl,-z,nodelete -Wl,-z,noseparate-code -Wl,-Bsymbolic \
		-Wl,-soname,liballotrope.so \
		-Wl,--as-needed -ldl -lpthread

$(OUT)/libanalyzer.a: $(APP_OBJ)
	$(say) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $(APP_OBJ)

$(OUT)/libpreload.a: $(LIB_TESTABLE)
	$(say) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $(LIB_TESTABLE)

$(OUT)/allotrope: $(MAIN_OBJ) $(OUT)/libanalyzer.a
	$(say) LD $@
	$(Q)$(CC) $(SANFLAGS) -o $@ $^ $(APP_LIBS)

$(OUT)/preload/%.o: preload/%.c
	$(say) CC $<
	$(Q)mkdir -p $(@D) && $(CC) $(LIB_CFLAGS) $(CFLAGS) -c -o $@ $<

$(OUT)/preload/%.o: preload/%.S
	$(say) AS $<
	$(Q)mkdir -p $(@D) && $(CC) $(LIB_CFLAGS) $(CFLAGS) -c -o $@ $<

$(OUT)/analyzer/%.o: analyzer/%.c
	$(say) CC $<
	$(Q)mkdir -p $(@D) && $(CC) $(APP_CFLAGS) $(CFLAGS) -c -o $@ $<

# ---- packages ----
# "package" or "package:program" (satisfied by the program, wherever it came from).
BUILD_PACKAGES := gcc:gcc g++:g++ make:make libc6-dev libdw-dev libelf-dev libzstd-dev \
	libjansson-dev libiberty-dev uthash-dev libunwind8
DEMO_PACKAGES  := $(BUILD_PACKAGES) python3:/usr/bin/python3 gnuplot-nox:gnuplot
CHECK_PACKAGES := $(DEMO_PACKAGES) libcmocka-dev libunwind-dev libc6-dbg valgrind:valgrind \
	strace:strace ltrace:ltrace gdb:gdb heaptrack:heaptrack jq:jq sqlite3:sqlite3 perl:perl \
	git:git nodejs:node cmake:cmake redis-server:redis-server redis-tools:redis-benchmark \
	libjemalloc2 libmimalloc2.0 libtcmalloc-minimal4 procps:ps xxd:xxd binutils:readelf \
	man-db:man xz-utils:xz util-linux:setpriv gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user:qemu-aarch64 \
	clang:clang libclang-rt-dev npm:npm chromium:chromium libxml2-utils:xmllint debuginfod:debuginfod dwz:dwz \
	kcachegrind:kcachegrind dbus:dbus-run-session massif-visualizer:massif-visualizer
# What the suites of tests/world run.
WORLD_PACKAGES := $(BUILD_PACKAGES) python3:/usr/bin/python3 libpython3.11-testsuite redis-server redis-tools \
	sqlite3:sqlite3 git:git perl:perl nodejs:node npm:npm postgresql postgresql-contrib nginx-light apache2-utils:ab \
	curl:curl jq:jq chromium:chromium openjdk-17-jdk-headless:javac php-cli:php ruby:ruby lua5.4:lua5.4 \
	openssl:openssl rsync:rsync zstd:zstd bzip2:bzip2 xz-utils:xz vim:vim emacs-nox:emacs tmux:tmux gdb:gdb \
	cmake:cmake ninja-build:ninja clang:clang golang-go:go rustc:rustc ffmpeg:ffmpeg mariadb-server \
	util-linux:setpriv procps:ps
INSTALL = .ci/install-packages

.PHONY: deps
deps: ## install what is missing to build, demo and check (apt, with sudo where needed)
	$(Q)$(INSTALL) $(CHECK_PACKAGES)

# ---- tests ----
# A unit test links the archives and takes what it needs; -Ipreload so that it can name either side.
$(OUT)/tests/unit/%: tests/unit/%.c $(OUT)/libanalyzer.a $(OUT)/libpreload.a $$(FIXTURE_OBJ)
	$(say) TEST $@
	$(Q)mkdir -p $(@D) && $(CC) $(APP_CFLAGS) -Ipreload -Itests $(CFLAGS) -o $@ $< \
		$(FIXTURE_OBJ) $(OUT)/libanalyzer.a $(OUT)/libpreload.a $(TEST_LIBS) $(APP_LIBS) -ldl

-include $(LIB_OBJ:.o=.d) $(APP_OBJ:.o=.d) $(MAIN_OBJ:.o=.d) $(addsuffix .d,$(UNIT_BIN))
-include $(wildcard $(OUT)/tests/*/*.d $(OUT)/tests/fuzz/side/*.d $(OUT)/examples/*.d $(OUT)/bench/*.d)

# Programs that tests and examples run: one idea each, plain compiler flags.
EXAMPLE_SRC := $(sort $(wildcard examples/*.c))
EXAMPLE_BIN := $(patsubst examples/%.c,$(OUT)/examples/%,$(EXAMPLE_SRC)) \
	       $(OUT)/examples/static_dynamic_static
SUBJECT_SRC := $(sort $(wildcard tests/subjects/*.c))
SUBJECT_CXX := $(sort $(wildcard tests/subjects/*.cc))
SUBJECT_BIN := $(patsubst tests/%.c,$(OUT)/tests/%,$(SUBJECT_SRC)) \
	       $(patsubst tests/%.cc,$(OUT)/tests/%,$(SUBJECT_CXX))
BENCH_SRC   := $(sort $(wildcard bench/*.c))
BENCH_BIN   := $(patsubst bench/%.c,$(OUT)/bench/%,$(BENCH_SRC))

# -fno-builtin-malloc: the compiler may drop a malloc whose block is only freed.
PLAIN_CFLAGS := -std=gnu11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -fno-builtin-malloc -Iinclude -MMD -MP

$(OUT)/examples/%: examples/%.c
	$(say) CC $@
	$(Q)mkdir -p $(@D) && $(CC) $(PLAIN_CFLAGS) -o $@ $< -lpthread

$(OUT)/examples/static_dynamic_static: examples/static_dynamic.c
	$(say) CC $@
	$(Q)mkdir -p $(@D) && $(CC) $(PLAIN_CFLAGS) -static -o $@ $<

$(OUT)/bench/%: bench/%.c
	$(say) CC $@
	$(Q)mkdir -p $(@D) && $(CC) $(PLAIN_CFLAGS) -O2 -o $@ $< -lpthread

# A subject named NAME.so.c is a shared object for a subject that loads it.
$(OUT)/tests/subjects/%.so: tests/subjects/%.so.c
	$(say) CC $@
	$(Q)mkdir -p $(@D) && $(CC) $(PLAIN_CFLAGS) -fPIC -shared -o $@ $<

$(OUT)/tests/subjects/%: tests/subjects/%.c
	$(say) CC $@
	$(Q)mkdir -p $(@D) && $(CC) $(PLAIN_CFLAGS) -o $@ $< -lpthread -ldl

$(OUT)/tests/subjects/%: tests/subjects/%.cc
	$(say) CXX $@
	$(Q)mkdir -p $(@D) && $(CXX) -O1 -g -Wall -MMD -MP -Iinclude -o $@ $< -lpthread -ldl

# Tests that run programs: the build tree and the work tree by absolute path.
SUPPORT_SRC := $(sort $(wildcard tests/support/*.c))
SUPPORT_OBJ := $(patsubst %.c,$(OUT)/%.o,$(SUPPORT_SRC))
RUN_CFLAGS  := $(BASE_CFLAGS) -Itests -DBUILD_DIR='"$(abspath $(OUT))"' -DSOURCE_DIR='"$(CURDIR)"'
LIVE_SRC    := $(sort $(wildcard tests/live/test_*.c))
ORACLE_SRC  := $(sort $(wildcard tests/oracle/test_*.c))
GOLDEN_SRC  := $(sort $(wildcard tests/golden/test_*.c))
LIVE_BIN    := $(patsubst %.c,$(OUT)/%,$(LIVE_SRC))
ORACLE_BIN  := $(patsubst %.c,$(OUT)/%,$(ORACLE_SRC))
GOLDEN_BIN  := $(patsubst %.c,$(OUT)/%,$(GOLDEN_SRC))
VIEWER_SRC  := $(sort $(wildcard tests/viewers/test_*.c))
VIEWER_BIN  := $(patsubst %.c,$(OUT)/%,$(VIEWER_SRC))

$(OUT)/tests/support/%.o: tests/support/%.c
	$(say) CC $<
	$(Q)mkdir -p $(@D) && $(CC) $(RUN_CFLAGS) $(CFLAGS) -c -o $@ $<

# Fixtures (synthetic recordings) belong to the analyzer's side.
FIXTURE_SRC := $(sort $(wildcard tests/fixture/*.c))
FIXTURE_OBJ := $(patsubst %.c,$(OUT)/%.o,$(FIXTURE_SRC))

$(OUT)/tests/fixture/%.o: tests/fixture/%.c
	$(say) CC $<
	$(Q)mkdir -p $(@D) && $(CC) $(APP_CFLAGS) -Itests $(CFLAGS) -c -o $@ $<

# Viewers that come from npm: tests say why they cannot run where the registry is out of reach.
NPM_DIR := build/npm
RUN_CFLAGS += -DNPM_DIR='"$(abspath $(NPM_DIR))"'

.PHONY: npm-packages
npm-packages:
	$(Q)mkdir -p $(NPM_DIR); cmp -s tests/viewers/package.json $(NPM_DIR)/package.json && \
		[ -e $(NPM_DIR)/node_modules/.complete ] || { cp tests/viewers/package.json $(NPM_DIR) && \
		echo "npm install in $(NPM_DIR)" && npm install --prefix $(NPM_DIR) --no-package-lock --no-audit \
		--no-fund --ignore-scripts --loglevel=error && touch $(NPM_DIR)/node_modules/.complete; } || \
		echo "the packages of tests/viewers/package.json cannot be installed"

# The recorder under a sanitizer: built and run in the variants only.
RECORDER_BIN := $(OUT)/tests/recorder/test_recorder

$(LIVE_BIN) $(ORACLE_BIN) $(GOLDEN_BIN) $(VIEWER_BIN) $(RECORDER_BIN): $(OUT)/%: %.c $(SUPPORT_OBJ) $(FIXTURE_OBJ) $(OUT)/libanalyzer.a
	$(say) TEST $@
	$(Q)mkdir -p $(@D) && $(CC) $(RUN_CFLAGS) -Ianalyzer $(SANFLAGS) $(CFLAGS) -o $@ $< $(SUPPORT_OBJ) \
		$(FIXTURE_OBJ) $(OUT)/libanalyzer.a $(TEST_LIBS) $(APP_LIBS)

# Fuzz targets: with libFuzzer by `make fuzz`, over the kept corpus by test_corpus.
FUZZ_SRC   := $(filter-out %/fuzz_main.c %/test_corpus.c %/make_corpus.c,$(sort $(wildcard tests/fuzz/*.c)))
FUZZ_OBJ   := $(patsubst %.c,$(OUT)/%.o,$(FUZZ_SRC))
FUZZ_NAMES := $(shell sed -n 's/^[[:space:]]ROW(\([a-z]*\)).*/\1/p' tests/fuzz/fuzz.h)
FUZZ_SECONDS ?= 60

$(OUT)/tests/fuzz/%.o: tests/fuzz/%.c
	$(say) CC $<
	$(Q)mkdir -p $(@D) && $(CC) $(APP_CFLAGS) -Ipreload -Itests $(CFLAGS) -c -o $@ $<

# What the library reads inside the program, built with SAN too. The unwinder reads stacks,
# where AddressSanitizer keeps bytes of its own.
FUZZ_SIDE := $(patsubst $(OUT)/preload/%,$(OUT)/tests/fuzz/side/%,$(LIB_TESTABLE))

$(OUT)/tests/fuzz/side/%.o: preload/%.c
	$(say) CC $@
	$(Q)mkdir -p $(@D) && $(CC) $(LIB_CFLAGS) $(SANFLAGS) $(CFLAGS) -c -o $@ $<

$(OUT)/tests/fuzz/side/%.o: preload/%.S
	$(say) AS $@
	$(Q)mkdir -p $(@D) && $(CC) $(LIB_CFLAGS) $(CFLAGS) -c -o $@ $<

$(OUT)/tests/fuzz/side/unwind_full.o: CFLAGS += -fno-sanitize=address

$(OUT)/tests/fuzz/side/libpreload.a: $(FUZZ_SIDE)
	$(say) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $(FUZZ_SIDE)

$(OUT)/tests/fuzz/test_corpus $(OUT)/tests/fuzz/make_corpus: $(OUT)/tests/fuzz/%: tests/fuzz/%.c \
		$(FUZZ_OBJ) $(FIXTURE_OBJ) $(OUT)/libanalyzer.a $(OUT)/tests/fuzz/side/libpreload.a
	$(say) TEST $@
	$(Q)mkdir -p $(@D) && $(CC) $(RUN_CFLAGS) -Ianalyzer $(SANFLAGS) $(CFLAGS) -o $@ $(filter %.c %.o %.a,$^) \
		$(TEST_LIBS) $(APP_LIBS) -ldl

$(addprefix $(OUT)/fuzz_,$(FUZZ_NAMES)): $(OUT)/fuzz_%: tests/fuzz/fuzz_main.c \
		$(FUZZ_OBJ) $(FIXTURE_OBJ) $(OUT)/libanalyzer.a $(OUT)/tests/fuzz/side/libpreload.a
	$(say) FUZZ $@
	$(Q)$(CC) $(APP_CFLAGS) -Itests -DFUZZ_TARGET=fuzz_$* -fsanitize=fuzzer -o $@ $(filter %.c %.o %.a,$^) \
		$(TEST_LIBS) $(APP_LIBS) -ldl

# The analyzer under valgrind's memcheck, with the rows of options that the fuzzer knows.
MEMCHECK_BIN := $(OUT)/tests/memcheck/test_memcheck

$(MEMCHECK_BIN): $(OUT)/%: %.c $(FUZZ_OBJ) $(FIXTURE_OBJ) $(SUPPORT_OBJ) $(OUT)/libanalyzer.a \
		$(OUT)/tests/fuzz/side/libpreload.a
	$(say) TEST $@
	$(Q)mkdir -p $(@D) && $(CC) $(RUN_CFLAGS) -Ianalyzer $(SANFLAGS) $(CFLAGS) -o $@ $(filter %.c %.o %.a,$^) \
		$(TEST_LIBS) $(APP_LIBS) -ldl

# Both sides of the ring in one program; the library's side is built with SAN too.
RING_SRC  := $(sort $(wildcard tests/ring/test_*.c))
RING_BIN  := $(patsubst %.c,$(OUT)/%,$(RING_SRC))
RING_SIDE := $(addprefix $(OUT)/tests/ring/,ring.o prefault.o clock.o meta.o)

$(RING_SIDE): $(OUT)/tests/ring/%.o: preload/%.c
	$(say) CC $@
	$(Q)mkdir -p $(@D) && $(CC) $(LIB_CFLAGS) $(SANFLAGS) $(CFLAGS) -c -o $@ $<

$(RING_BIN): $(OUT)/%: %.c $(RING_SIDE) $(OUT)/libanalyzer.a
	$(say) TEST $@
	$(Q)mkdir -p $(@D) && $(CC) $(APP_CFLAGS) -Ipreload -Itests $(CFLAGS) -o $@ $< $(RING_SIDE) \
		$(OUT)/libanalyzer.a $(TEST_LIBS) $(APP_LIBS)

# The library's tests for another processor, under qemu: CROSS is set in the make that
# builds them. A test is a script, as tests/run starts programs.
CROSS_TRIPLE := aarch64-linux-gnu
CROSS_TESTS  := block bootstrap config event infer insn lock_all memory_sample meta modules proc_maps \
	record_codec ring settings sysfile unwind unwind_chain unwind_range varint
CROSS_OUT     = $(call beside,$(CROSS_TRIPLE)-release)
CROSS_BIN     = $(CROSS_TESTS:%=$(CROSS_OUT)/tests/cross/test_%) $(OUT)/tests/cross/test_aarch64

$(OUT)/tests/cross/%.elf: tests/unit/%.c tests/cross/cmocka.h $(OUT)/libpreload.a
	$(say) TEST $@
	$(Q)mkdir -p $(@D) && $(CC) $(BASE_CFLAGS) -Ipreload -Itests/cross -Itests $(CFLAGS) -o $@ $< \
		$(OUT)/libpreload.a -fno-lto -lpthread -ldl

$(CROSS_TESTS:%=$(OUT)/tests/cross/test_%): %: %.elf tests/cross/left_out
	$(Q)printf '#!/bin/sh\nCROSS_LEFT_OUT="%s" exec qemu-%s -L /usr/%s %s\n' \
		"$$(sed -n 's/^\(test_[a-z_]*\) .*/\1/p' tests/cross/left_out | xargs)" \
		$(firstword $(subst -, ,$(CROSS))) $(CROSS) $(abspath $<) >$@ && chmod +x $@

$(OUT)/tests/cross/test_aarch64: tests/cross/test_aarch64.c $(SUPPORT_OBJ)
	$(say) TEST $@
	$(Q)mkdir -p $(@D) && $(CC) $(RUN_CFLAGS) -DCROSS_DIR='"$(abspath $(CROSS_OUT))"' $(CFLAGS) -o $@ $< \
		$(SUPPORT_OBJ) $(TEST_LIBS) $(APP_LIBS)

RUN_TESTS := tests/run
# Another variant's folder beside this one's.
beside = $(if $(filter build/%,$(OUT)),build/$(1),$(OUT)/$(1))

.PHONY: check-unit check-golden check-live check-oracle check-lint check-san
check-unit: $(UNIT_BIN) ## unit tests, one program per source file
	$(Q)$(RUN_TESTS) $^
check-golden: $(GOLDEN_BIN) all ## whole outputs against tests/golden
	$(Q)$(RUN_TESTS) $(GOLDEN_BIN)
check-live: $(LIVE_BIN) $(SUBJECT_BIN) $(EXAMPLE_BIN) all ## real programs under the preload
	$(Q)$(RUN_TESTS) $(LIVE_BIN)
check-oracle: $(ORACLE_BIN) $(SUBJECT_BIN) $(EXAMPLE_BIN) all ## against valgrind, strace, ltrace
	$(Q)$(RUN_TESTS) $(ORACLE_BIN)
.PHONY: check-viewers
check-viewers: $(VIEWER_BIN) $(SUBJECT_BIN) $(EXAMPLE_BIN) all npm-packages ## the files of reports in what people open them with
	$(Q)$(RUN_TESTS) $(VIEWER_BIN)
check-lint: all ## layers, names, exports, imports, headers, documents
	$(Q)tests/lint/run $(OUT)
check-san: ## unit and golden tests with ASan, UBSan; ring tests with TSan
	$(Q)$(MAKE) --no-print-directory SAN=address,undefined check-unit check-golden check-fuzz check-recorder
	$(Q)$(MAKE) --no-print-directory SAN=thread check-ring check-recorder

.PHONY: check-memcheck
check-memcheck: $(MEMCHECK_BIN) all ## every report and command under valgrind's memcheck
	$(Q)$(RUN_TESTS) $(MEMCHECK_BIN)

.PHONY: check-ring check-fuzz check-cross ring-build cross-build
check-ring: ring-build ## the protocol of the ring, both sides at work; with SAN=thread: watched
	$(Q)$(RUN_TESTS) $(RING_BIN)
check-fuzz: $(OUT)/tests/fuzz/test_corpus ## the fuzz targets over their corpus and changes of it
	$(Q)$(RUN_TESTS) $^
check-cross: $(OUT)/tests/cross/test_aarch64 $(OUT)/tests/subjects/semantics all ## the library for aarch64, under qemu
	$(Q)$(MAKE) --no-print-directory -j2 CROSS=$(CROSS_TRIPLE) OUT=$(CROSS_OUT) cross-build
	$(Q)$(RUN_TESTS) $(CROSS_BIN)
ring-build: $(RING_BIN)
recorder-build: $(RECORDER_BIN) $(OUT)/tests/subjects/crowd all
.PHONY: check-recorder recorder-build
check-recorder: recorder-build ## record, mark, recover at work; with SAN=...: watched
	$(Q)$(RUN_TESTS) $(RECORDER_BIN)
cross-build: $(OUT)/liballotrope.so $(CROSS_TESTS:%=$(OUT)/tests/cross/test_%) $(OUT)/tests/subjects/semantics

.PHONY: fuzz fuzz-build fuzz-corpus
fuzz: ## run each fuzz target for FUZZ_SECONDS (clang); what it finds goes to its corpus folder
	$(Q)$(MAKE) --no-print-directory -j2 CC=clang SAN=fuzzer-no-link$(comma)address$(comma)undefined \
		OUT=$(call beside,fuzz) fuzz-build
	$(Q)tests/fuzz/run $(call beside,fuzz) $(FUZZ_SECONDS) $(FUZZ_NAMES)
fuzz-build: $(addprefix $(OUT)/fuzz_,$(FUZZ_NAMES))
fuzz-corpus: $(OUT)/tests/fuzz/make_corpus ## write the first inputs of the fuzz targets anew
	$(Q)$< tests/fuzz/corpus tests/golden/recordings/family.data

.PHONY: check
check: ## the same set-up as demo, then every test
	$(Q)$(INSTALL) $(CHECK_PACKAGES)
	$(Q)$(MAKE) --no-print-directory WERROR=1 -j2 all tests npm-packages
	$(Q)$(MAKE) --no-print-directory check-lint
	$(Q)$(MAKE) --no-print-directory -j2 SAN=address,undefined $(if $(wildcard tests/unit),tests-san)
	$(Q)$(MAKE) --no-print-directory -j2 SAN=thread ring-build recorder-build
	$(Q)$(MAKE) --no-print-directory -j2 CROSS=$(CROSS_TRIPLE) OUT=$(CROSS_OUT) cross-build
	$(Q)$(RUN_TESTS) --summary $(UNIT_BIN) $(GOLDEN_BIN) $(LIVE_BIN) $(ORACLE_BIN) $(VIEWER_BIN) $(RING_BIN) \
		$(MEMCHECK_BIN) $(CROSS_BIN) $(patsubst $(OUT)/%,build/san-address-undefined/%,$(UNIT_BIN) $(GOLDEN_BIN) $(OUT)/tests/fuzz/test_corpus) \
		$(patsubst $(OUT)/%,build/san-address-undefined/%,$(RECORDER_BIN)) \
		$(patsubst $(OUT)/%,build/san-thread/%,$(RING_BIN) $(RECORDER_BIN))

.PHONY: tests tests-san
tests: $(UNIT_BIN) $(GOLDEN_BIN) $(LIVE_BIN) $(ORACLE_BIN) $(VIEWER_BIN) $(SUBJECT_BIN) $(EXAMPLE_BIN) $(BENCH_BIN) \
	$(RING_BIN) $(MEMCHECK_BIN) $(OUT)/tests/cross/test_aarch64
tests-san: all $(UNIT_BIN) $(GOLDEN_BIN) $(OUT)/tests/fuzz/test_corpus recorder-build

.PHONY: demo
demo: ## install what is missing, build, record a Python program, show the reports
	$(Q)$(INSTALL) $(DEMO_PACKAGES)
	$(Q)$(MAKE) --no-print-directory -j2 all
	$(Q)examples/demo.sh $(OUT)

.PHONY: bench
bench: all $(BENCH_BIN) ## speed against the bare program and against heaptrack
	$(Q)bench/run $(OUT)
	$(Q)bench/ring $(OUT)

# CAPTURES=1000000 for the long run, whose table is in docs/unwinding.md.
.PHONY: check-stacks
check-stacks: all $(BENCH_BIN) $(SUBJECT_BIN) ## every call stack of real programs against two other unwinders
	$(Q)$(INSTALL) $(CHECK_PACKAGES) postgresql
	$(Q)bench/check_stacks $(OUT)

# WORLD='redis git' for a choice; UPDATE=1 writes the table of docs/reliability.md.
.PHONY: check-world
check-world: all ## suites of real programs with and without the library (long; not part of check)
	$(Q)$(INSTALL) $(WORLD_PACKAGES)
	$(Q)tests/world/run $(OUT) $(WORLD)

# README.md and docs/ point at each other, at the pictures and at examples/: they keep their places.
.PHONY: install uninstall
install: all ## install under PREFIX (DESTDIR is honoured)
	install -d $(DESTDIR)$(bindir) $(DESTDIR)$(libdir) $(DESTDIR)$(incdir) $(DESTDIR)$(mandir)/man1 \
		$(DESTDIR)$(mandir)/man7 $(DESTDIR)$(docdir)/docs $(DESTDIR)$(docdir)/examples
	install -m 755 $(OUT)/allotrope $(DESTDIR)$(bindir)/allotrope
	install -m 755 $(OUT)/liballotrope.so $(DESTDIR)$(libdir)/liballotrope.so
	install -m 644 include/allotrope.h $(DESTDIR)$(incdir)/allotrope.h
	install -m 644 $(wildcard man/*.1) $(DESTDIR)$(mandir)/man1
	install -m 644 $(wildcard man/*.7) $(DESTDIR)$(mandir)/man7
	install -m 644 README.md LICENSE $(DESTDIR)$(docdir)
	install -m 644 $(wildcard docs/*) $(DESTDIR)$(docdir)/docs
	install -m 644 $(wildcard examples/*) $(DESTDIR)$(docdir)/examples
uninstall: ## remove what install put under PREFIX
	rm -f $(DESTDIR)$(bindir)/allotrope $(DESTDIR)$(libdir)/liballotrope.so $(DESTDIR)$(incdir)/allotrope.h \
		$(patsubst man/%,$(DESTDIR)$(mandir)/man1/%,$(wildcard man/*.1)) \
		$(patsubst man/%,$(DESTDIR)$(mandir)/man7/%,$(wildcard man/*.7)) \
		$(addprefix $(DESTDIR)$(docdir)/,README.md LICENSE $(wildcard docs/* examples/*))
	for folder in $(libdir) $(docdir)/docs $(docdir)/examples $(docdir); do \
		rmdir $(DESTDIR)$$folder 2>/dev/null || :; done

.PHONY: clean
clean: ## remove build/
	rm -rf build

.PHONY: help
help: ## this list
	@grep -hE '^[a-z][a-zA-Z_-]*:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | sort | expand -t 16
