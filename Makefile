# netc: see README.md. `make` builds build/netc; `make test` runs every test; `make demo` classifies pictures.
BUILD   ?= build
CC      ?= cc
OPT     ?= -O2 -g
Q       := $(if $(V),,@)
JOBS    := -j$(shell nproc 2>/dev/null || echo 1)
WARN    := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror
PKGS    := jansson libzip libpng libjpeg zlib
CFLAGS  += -std=c11 -D_GNU_SOURCE -ffp-contract=off -fPIC -fvisibility=hidden -I. -I$(BUILD) $(WARN) $(OPT) $(shell pkg-config --cflags $(PKGS))
LDLIBS  += $(shell pkg-config --libs $(PKGS)) -ldl -lpthread -lm -Wl,--build-id

# LLVM compiles in place where it is installed; `make LLVM=0` builds without. Its library is opened when it is needed.
LLVM_CONFIG ?= llvm-config-19
LLVM_LIBRARY := $(notdir $(realpath $(shell $(LLVM_CONFIG) --libdir 2>/dev/null)/libLLVM.so))
LLVM    ?= $(if $(LLVM_LIBRARY),1,0)
ifeq ($(LLVM),1)
CFLAGS  += -DNETC_LLVM
LLVM_FOLDER := backends/llvm
endif

# Cairo draws charts and maps where it is installed; `make CAIRO=0` builds without.
CAIRO   ?= $(shell pkg-config --exists cairo && echo 1 || echo 0)
ifeq ($(CAIRO),1)
CFLAGS  += $(shell pkg-config --cflags cairo)
LDLIBS  += $(shell pkg-config --libs cairo)
endif
CAIRO_FOLDER := runtime/draw$(if $(filter 1,$(CAIRO)),,/none)

FOLDERS := ir/base ir ir/ops ir/kernel passes backends backends/c backends/interp $(LLVM_FOLDER) runtime $(CAIRO_FOLDER) frontend/lang frontend/api frontend/cli
SOURCES := $(wildcard $(addsuffix /*.c,$(FOLDERS)))
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o) $(BUILD)/frontend/lang/lexer.o $(BUILD)/frontend/lang/parser.o $(BUILD)/frontend/lang/prelude.o
LIBRARY := $(BUILD)/libnetc-all.a
MAIN    := $(BUILD)/frontend/cli/main.o

all: $(BUILD)/netc

include frontend/api/install/install.mk

$(BUILD)/netc: $(MAIN) $(LIBRARY)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(LIBRARY): $(filter-out $(MAIN),$(OBJECTS))
	$(Q)rm -f $@ && ar rcs $@ $^

# other flags, other objects
$(BUILD)/flags: always
	@mkdir -p $(@D) && echo '$(CC) $(CFLAGS)' | cmp -s - $@ || echo '$(CC) $(CFLAGS)' >$@
$(OBJECTS): $(BUILD)/flags

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC   $<"
	$(Q)$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

# of LLVM's functions those that are called
LLVM_SOURCES := $(wildcard backends/llvm/*.c)
$(BUILD)/backends/llvm/calls.h: backends/llvm/calls.awk $(LLVM_SOURCES)
	@mkdir -p $(@D)
	$(Q)grep -ohE '\<LLVM[A-Z][A-Za-z0-9]*\(' $(LLVM_SOURCES) | tr -d '(' | sort -u | awk -f $< >$@.new
	$(Q)cmp -s $@.new $@ && rm $@.new || mv $@.new $@
$(LLVM_SOURCES:%=$(BUILD)/%.linted) $(LLVM_SOURCES:%.c=$(BUILD)/%.o): | $(BUILD)/backends/llvm/calls.h
$(BUILD)/backends/llvm/%: CFLAGS += -isystem $(shell $(LLVM_CONFIG) --includedir) -DNETC_LLVM_LIBRARY='"$(LLVM_LIBRARY)"'

# flex and bison; their output is not held to our warnings
$(BUILD)/frontend/lang/parser.c: frontend/lang/parser.y
	@mkdir -p $(@D)
	$(Q)bison -Wall -Werror -d -o $@ $<
$(BUILD)/frontend/lang/lexer.c: frontend/lang/lexer.l
	@mkdir -p $(@D)
	$(Q)flex --header-file=$(BUILD)/frontend/lang/lexer.h -o $@ $<
$(BUILD)/frontend/lang/lexer.o: $(BUILD)/frontend/lang/lexer.c $(BUILD)/frontend/lang/parser.c
	$(Q)$(CC) $(CFLAGS) -w -MMD -MP -c -o $@ $<
$(BUILD)/frontend/lang/parser.o: $(BUILD)/frontend/lang/parser.c $(BUILD)/frontend/lang/lexer.c
	$(Q)$(CC) $(CFLAGS) -w -MMD -MP -c -o $@ $<
$(filter $(BUILD)/frontend/lang/%,$(OBJECTS)): | $(BUILD)/frontend/lang/lexer.c $(BUILD)/frontend/lang/parser.c
$(BUILD)/frontend/lang/prelude.c: frontend/lang/prelude.net
	@mkdir -p $(@D)
	$(Q){ echo 'extern const char netc_prelude[]; const char netc_prelude[] = {'; od -An -v -tu1 $< | sed 's/ *\([0-9][0-9]*\)/\1,/g'; echo '0};'; } >$@
$(BUILD)/frontend/lang/prelude.o: $(BUILD)/frontend/lang/prelude.c
	$(Q)$(CC) $(CFLAGS) -c -o $@ $<

# ---- tests and demo: both install what they need first, then start make afresh ----

TEST_SUPPORT := $(wildcard tests/support/*.c)
SUPPORT := $(TEST_SUPPORT:%.c=$(BUILD)/%.o)
$(SUPPORT): $(BUILD)/flags
UNIT    := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/*_test.c))
SCRIPTS := $(wildcard tests/e2e/*.sh)
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

$(BUILD)/unit/%: tests/unit/%.c $(SUPPORT) $(LIBRARY)
	@mkdir -p $(@D)
	@echo "  TEST $<"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< $(SUPPORT) $(LIBRARY) $(LDLIBS) -lcmocka

# allocations of netc's own code, which that test lets fail one by one
$(BUILD)/unit/lib_memory_test: LDFLAGS += $(foreach f,malloc calloc realloc aligned_alloc posix_memalign,-Wl,--wrap=$(f))

unit: $(UNIT)

# Training steps on given numbers; tests/steps/steps.py holds them against PyTorch's.
steps: $(BUILD)/steps
$(BUILD)/steps: tests/steps/steps.c $(LIBRARY)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

test:
	@sh tests/support/setup.sh test
	@$(MAKE) $(JOBS) --no-print-directory all
	@$(MAKE) $(JOBS) --no-print-directory BUILD=$(BUILD)/san OPT="-O1 -g $(SANITIZE)" all unit
	@$(MAKE) $(JOBS) --no-print-directory BUILD=$(BUILD)/tsan OPT="-O1 -g -fsanitize=thread" threaded
	@NETC=$(BUILD)/netc NETC_SAN=$(BUILD)/san/netc TSAN_OPTIONS=suppressions=tests/tsan.supp \
		sh tests/run.sh $(UNIT:$(BUILD)/%=$(BUILD)/san/%) $(THREADED:$(BUILD)/%=$(BUILD)/tsan/%) $(SCRIPTS)

# what runs under ThreadSanitizer: `make tsan` alone, or as a part of the tests
THREADED := $(BUILD)/unit/lib_sharing_test $(BUILD)/unit/pool_test
threaded: $(THREADED)
tsan:
	@$(MAKE) $(JOBS) --no-print-directory BUILD=$(BUILD)/tsan OPT="-O1 -g -fsanitize=thread" threaded
	@TSAN_OPTIONS=suppressions=tests/tsan.supp sh tests/run.sh $(THREADED:$(BUILD)/%=$(BUILD)/tsan/%)

# Random graphs, every one through every backend with all passes and without: an hour.
check-long:
	@sh tests/support/setup.sh test
	@$(MAKE) $(JOBS) --no-print-directory all $(BUILD)/unit/random_graphs_test
	@$(BUILD)/unit/random_graphs_test 4000 4000 1001

demo:
	@sh tests/support/setup.sh
	@$(MAKE) $(JOBS) --no-print-directory all
	@$(BUILD)/netc run examples/resnet20.net --weights examples/weights/resnet20.th --top 1 \
		$(patsubst %,--input %,$(wildcard examples/pictures/*))
	@$(BUILD)/netc run examples/mnist.net --weights examples/weights/mnist.safetensors --top 1 \
		$(patsubst %,--input %,$(wildcard examples/digits/*))

# ---- bench: netc beside other programs; NETS=, TRAIN=, BATCH=, THREADS=, PEERS=, TIME= as tests/bench/bench.py says ----

bench:
	@$(MAKE) $(JOBS) --no-print-directory all
	@python3 tests/bench/bench.py $(BUILD)/netc

# ---- lint: layout, clang's warnings, clang-tidy (not on tests); what did not change is not looked at again ----

CLANG  ?= clang
TIDY   ?= clang-tidy
FORMAT ?= clang-format
LINTED := $(patsubst %,$(BUILD)/%.linted,$(SOURCES) $(TEST_SUPPORT) $(wildcard tests/unit/*.c))

lint:
	@sh tests/support/setup.sh lint
	@$(FORMAT) --dry-run -Werror $(wildcard $(shell git ls-files '*.c' '*.h'))
	@$(MAKE) --no-print-directory -k linted
linted: $(LINTED)
	@:

$(BUILD)/%.linted: % .clang-tidy | $(BUILD)/frontend/lang/lexer.c $(BUILD)/frontend/lang/parser.c
	@mkdir -p $(@D)
	@echo "  LINT $<"
	$(Q)$(CLANG) $(CFLAGS) -fsyntax-only -MMD -MP -MF $@.d -MT $@ $<
	$(Q)$(if $(filter tests/%,$<),,$(TIDY) --quiet $< -- $(CFLAGS) 2>$@.err || { cat $@.err; exit 1; })
	@touch $@
-include $(LINTED:%=%.d)

clean:
	rm -rf $(BUILD)

.PHONY: all always bench check-long unit threaded tsan steps test demo lint linted clean
-include $(OBJECTS:.o=.d) $(SUPPORT:.o=.d)
