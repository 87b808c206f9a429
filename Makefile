# allotrope: one non-recursive makefile. `make help` lists the targets.
# Variants live side by side in build/<variant>: SAN=address,undefined  SAN=thread  DEBUG=1

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

CC      ?= gcc
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
	       -fcf-protection=none -fno-tree-loop-distribute-patterns
ifneq ($(filter aarch64%,$(CROSS)),)
LIB_CFLAGS  := $(filter-out -fcf-protection=none,$(LIB_CFLAGS))
endif
APP_CFLAGS  := $(BASE_CFLAGS) -Ianalyzer
APP_LIBS    := -ldw -lelf -lzstd -ljansson -liberty -lpthread -lm
TEST_LIBS   := -lcmocka

ifdef SAN
SANFLAGS    := -fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all
APP_CFLAGS  += $(SANFLAGS)
endif

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
	$(Q)$(CC) -shared -o $@ $(LIB_OBJ) -Wl,--version-script=preload/liballotrope.map \
		-Wl,-z,now -Wl,-z,relro -Wl,-z,defs -Wl,-Bsymbolic -Wl,-soname,liballotrope.so \
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

# ---- tests ----
# A unit test links the archives and takes what it needs; -Ipreload so that it can name either side.
$(OUT)/tests/unit/%: tests/unit/%.c $(OUT)/libanalyzer.a $(OUT)/libpreload.a
	$(say) TEST $@
	$(Q)mkdir -p $(@D) && $(CC) $(APP_CFLAGS) -Ipreload -Itests $(CFLAGS) -o $@ $< \
		$(OUT)/libanalyzer.a $(OUT)/libpreload.a $(TEST_LIBS) $(APP_LIBS) -ldl

-include $(LIB_OBJ:.o=.d) $(APP_OBJ:.o=.d) $(MAIN_OBJ:.o=.d) $(addsuffix .d,$(UNIT_BIN))

.PHONY: check-unit
check-unit: $(UNIT_BIN) ## unit tests
	$(Q)set -e; for t in $(UNIT_BIN); do echo "== $$t"; $$t; done

.PHONY: clean
clean: ## remove build/
	rm -rf build

.PHONY: help
help: ## this list
	@grep -hE '^[a-z][a-zA-Z_-]*:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | sort | expand -t 16
