# The libraries, and make install: included by the Makefile.
PREFIX  ?= /usr/local
VERSION := $(shell sed -n 's/^.define NETC_VERSION "\(.*\)"/\1/p' frontend/api/version.h)
SONAME  := libnetc.so.$(firstword $(subst ., ,$(VERSION)))
SHARED  := $(BUILD)/libnetc.so.$(VERSION)
STATIC  := $(BUILD)/libnetc.a

# What <netc.h> declares, and of the rest what that needs: no command, no data set, no picture.
ROOTS   := $(filter $(BUILD)/frontend/api/lib_%.o,$(OBJECTS))

# what a program that links the static one needs
PRIVATE := $(shell pkg-config --libs jansson libzip zlib) -ldl -lpthread -lm

libraries: $(SHARED) $(STATIC)

$(SHARED): $(ROOTS) $(LIBRARY) frontend/api/install/netc.map
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -shared -Wl,-soname,$(SONAME) -Wl,--version-script=frontend/api/install/netc.map \
		-Wl,--as-needed -o $@ $(ROOTS) $(LIBRARY) $(LDLIBS)
	$(Q)ln -sf $(@F) $(BUILD)/$(SONAME) && ln -sf $(SONAME) $(BUILD)/libnetc.so

# One object, in which everything hidden is local: no name of ours meets one of the host's.
$(STATIC): $(ROOTS) $(LIBRARY)
	$(Q)$(LD) -r -o $(BUILD)/libnetc.o $(ROOTS) $(LIBRARY)
	$(Q)$(OBJCOPY) --localize-hidden $(BUILD)/libnetc.o
	$(Q)rm -f $@ && ar rcs $@ $(BUILD)/libnetc.o

OBJCOPY ?= objcopy
TO      := $(DESTDIR)$(PREFIX)
FILLED  = sed -e 's|@PREFIX@|$(abspath $(PREFIX))|' -e 's|@VERSION@|$(VERSION)|' -e 's|@SONAME@|$(SONAME)|' -e 's|@PRIVATE@|$(PRIVATE)|'
# written by the program itself, from its tables of commands and options
SHOWN   := share/man/man1/netc.1 share/bash-completion/completions/netc share/zsh/site-functions/_netc \
	share/fish/vendor_completions.d/netc.fish
FILES   := bin/netc include/netc.h lib/libnetc.so.$(VERSION) lib/$(SONAME) lib/libnetc.so lib/libnetc.a \
	lib/pkgconfig/netc.pc lib/cmake/netc/netcConfig.cmake lib/cmake/netc/netcConfigVersion.cmake $(SHOWN)

install: all libraries
	@mkdir -p $(addprefix $(TO)/,$(sort $(dir $(FILES))))
	install -m 755 $(BUILD)/netc $(TO)/bin/netc
	install -m 644 frontend/api/netc.h $(TO)/include/netc.h
	install -m 755 $(SHARED) $(TO)/lib/
	ln -sf $(notdir $(SHARED)) $(TO)/lib/$(SONAME)
	ln -sf $(SONAME) $(TO)/lib/libnetc.so
	install -m 644 $(STATIC) $(TO)/lib/
	$(FILLED) frontend/api/install/netc.pc.in >$(TO)/lib/pkgconfig/netc.pc
	for f in netcConfig netcConfigVersion; do $(FILLED) frontend/api/install/$$f.cmake.in >$(TO)/lib/cmake/netc/$$f.cmake || exit 1; done
	$(BUILD)/netc help --man >$(TO)/share/man/man1/netc.1
	$(BUILD)/netc help --completion bash >$(TO)/share/bash-completion/completions/netc
	$(BUILD)/netc help --completion zsh >$(TO)/share/zsh/site-functions/_netc
	$(BUILD)/netc help --completion fish >$(TO)/share/fish/vendor_completions.d/netc.fish

uninstall:
	rm -f $(addprefix $(TO)/,$(FILES))
	-rmdir $(TO)/lib/cmake/netc

.PHONY: libraries install uninstall
