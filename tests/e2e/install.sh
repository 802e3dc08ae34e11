#!/bin/sh
# make install: what it leaves and takes away again, public names alone in the libraries, the projects of
# examples/embed built and run against it, CMake's and pkg-config's packages, manual page and completions.
. tests/support/e2e.sh

BUILD=$(dirname "$NETC")
prefix=$scratch/usr
embed=$scratch/examples/embed
answer="dog 0.8997"
PKG_CONFIG_PATH=$prefix/lib/pkgconfig
export PKG_CONFIG_PATH
unset DESTDIR PREFIX

makes() {
    make --no-print-directory BUILD="$BUILD" "$@"
}
makes install PREFIX="$prefix" >"$scratch/install.log" 2>&1 || { not_ok "make install" "$scratch/install.log"; finish; }
cp -r examples "$scratch/examples"

# ---- what lies where ----

everything="bin/netc include/netc.h lib/cmake/netc/netcConfig.cmake lib/cmake/netc/netcConfigVersion.cmake lib/libnetc.a
lib/libnetc.so lib/libnetc.so.0 lib/libnetc.so.0.1.0 lib/pkgconfig/netc.pc share/bash-completion/completions/netc
share/fish/vendor_completions.d/netc.fish share/man/man1/netc.1 share/zsh/site-functions/_netc"
listed() {
    (cd "$1" && find . ! -type d | sed 's|^\./||' | LC_ALL=C sort) >"$scratch/listed"
    printf '%s\n' $everything | LC_ALL=C sort | diff - "$scratch/listed"
}
check "make install leaves its files and no others" listed "$prefix"
staged() {
    makes install DESTDIR="$scratch/stage" PREFIX=/opt/netc && listed "$scratch/stage/opt/netc" || return 1
    grep -q '^prefix=/opt/netc$' "$scratch/stage/opt/netc/lib/pkgconfig/netc.pc" || return 1
    ! grep -r --exclude='*.a' --exclude='*.so*' --exclude=netc -l "$scratch" "$scratch/stage"
}
check "DESTDIR is where it is put, PREFIX what the files say" staged
unstaged() {
    makes uninstall DESTDIR="$scratch/stage" PREFIX=/opt/netc && [ -z "$(find "$scratch/stage" ! -type d)" ]
}
check "make uninstall takes all of them away" unstaged
check "the installed program runs" "$prefix/bin/netc" show examples/lenet5.net

# ---- names ----

grep -oE '\bnetc_[a-z_]+\(' "$prefix/include/netc.h" | tr -d '(' | sort -u >"$scratch/declared"
same_names() {
    nm "$@" | awk 'NF == 3 && $2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort -u | diff "$scratch/declared" -
}
check "libnetc.so exports what the header declares" same_names -D --defined-only "$prefix/lib/libnetc.so"
check "libnetc.a has no other global names" same_names -g --defined-only "$prefix/lib/libnetc.a"
versioned() {
    nm -D --defined-only "$prefix/lib/libnetc.so" | grep ' T ' | grep -v '@@NETC_0\.1$' && return 1
    readelf -d "$prefix/lib/libnetc.so" | grep -q 'soname: \[libnetc.so.0\]'
}
check "its names have a version, the library a soname" versioned
polite_header() {
    for language in "c -std=c99" "c -std=c11" "c++ -std=c++17"; do
        # shellcheck disable=SC2086
        echo '#include <netc.h>' | ${CC} -x $language -Wall -Wextra -Wpedantic -Wshadow -Werror \
            -I"$prefix/include" -fsyntax-only - || return 1
    done
}
check "netc.h compiles as C99, C11 and C++17 without a warning" polite_header
silent() {
    nm -u "$prefix/lib/libnetc.a" | awk '{ print $NF }' | grep -E '^(exit|_exit|_Exit|abort|puts|printf|perror|vprintf|stderr)$' && return 1
    return 0
}
check "nothing in it ends the process or prints" silent

# ---- the projects ----

says() {
    "$@" >"$scratch/said" && echo "$answer" | diff - "$scratch/said"
}
makefile_project() (
    cd "$embed/makefile" && make NETC="$prefix/bin/netc" CC="$CC" && says ./classify ../dog.ppm
)
check "embed/makefile: generated C" makefile_project

if have cmake; then
    cmake_project() (
        cd "$embed/cmake" && cmake -B build -DCMAKE_PREFIX_PATH="$prefix" && cmake --build build &&
            says build/classify ../dog.ppm || return 1
        cmake --build build >"$scratch/again" && ! grep -q 'Building' "$scratch/again" || return 1
        touch ../../resnet20.net && cmake --build build >"$scratch/again" && grep -q 'Building' "$scratch/again"
    )
    check "embed/cmake: a C++ project, compiled again when the net changes" cmake_project
    package() (
        mkdir -p "$scratch/package" && cd "$scratch/package" || return 1
        cat >CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.16)
project(package C)
find_package(netc 0.1 REQUIRED)
add_executable(place main.c)
target_link_libraries(place netc::netc)
add_executable(code code.c)
netc_add_net(code "${EXAMPLES}/lenet5.net" BATCH 3 PREFIX digits)
END
        cat >main.c <<'END'
#include <netc.h>
#include <string.h>
int main(void) { return strcmp(netc_version(), "0.1.0"); }
END
        cat >code.c <<'END'
#include "lenet5.h"
int main(void) { return DIGITS_MAX_BATCH != 3 || !*digits_error(DIGITS_BAD_BATCH); }
END
        cmake -B build -DCMAKE_PREFIX_PATH="$prefix" -DEXAMPLES="$scratch/examples" && cmake --build build &&
            build/place && build/code || return 1
        echo 'find_package(netc 0.2 REQUIRED)' >>CMakeLists.txt
        ! cmake -B build2 -DCMAKE_PREFIX_PATH="$prefix" -DEXAMPLES="$scratch/examples" 2>"$scratch/refused" &&
            grep -q '0.1.0' "$scratch/refused"
    )
    check "find_package(netc): the library, netc_add_net, no other version" package
else
    skip "embed/cmake: there is no cmake"
fi

library_project() (
    cd "$embed/library" && make CC="$CC" || return 1
    LD_LIBRARY_PATH=$prefix/lib ./classify ../../resnet20.net ../../weights/resnet20.th ../dog.ppm >"$scratch/said"
    printf 'dog 0.8997\ndog 0.5852\n' | diff - "$scratch/said"
)
check "embed/library: two threads share a model in place" library_project
errors() (
    cd "$embed/library" || return 1
    printf 'net n {\n    input x[4]\n    output y = x -> linea(3)\n}\n' >bad.net
    LD_LIBRARY_PATH=$prefix/lib ./classify bad.net none ../dog.ppm 2>"$scratch/said" && return 1
    grep -q '^bad.net:3:21: ' "$scratch/said" && [ "$(wc -l <"$scratch/said")" = 1 ]
)
check "embed/library: an error is the host's to print, with its place" errors
static_library() (
    cd "$embed/library" || return 1
    # shellcheck disable=SC2046
    $CC -O1 $(pkg-config --cflags netc) main.c -o static "$prefix/lib/libnetc.a" \
        $(pkg-config --static --libs netc | sed 's/-lnetc//') -lm || return 1
    ./static ../../resnet20.net ../../weights/resnet20.th ../dog.ppm | grep -q "$answer"
)
check "libnetc.a with what pkg-config --static says" static_library

python=
for p in python3 /usr/bin/python3; do
    [ -z "$python" ] && $p -c 'import numpy' 2>/dev/null && python=$p
done
python_project() (
    cd "$embed/python" && make NETC="$prefix/bin/netc" && says "$python" classify.py ../dog.ppm
)
if [ -z "$python" ]; then
    skip "embed/python: there is no NumPy"
elif ! "$NETC" examples/lenet5.net -o "$scratch/probe.o" 2>/dev/null; then
    skip "embed/python: this netc was built without LLVM"
else
    check "embed/python: a shared object through ctypes" python_project
fi

# ---- what the tables become ----

page=$prefix/share/man/man1/netc.1
commands=$("$NETC" --help | awk '/^$/ { blank++ } blank >= 2 && /^  [a-z]+ / { print $1 }')
options_of() {
    "$NETC" help "$1" | grep -oE '^  -[A-Za-z]?[, ]*(--[a-z0-9-]+)?' | grep -oE '(^| )--?[A-Za-z0-9-]+' | tr -d ' '
}
told() {
    sed 's/\\-/-/g' "$page" >"$scratch/page"
    [ "$(echo "$commands" | wc -w)" -ge 6 ] || return 1
    for c in $commands; do
        grep -q "^\.SS netc \[*$c" "$scratch/page" || { echo "$c is not in the page"; return 1; }
        for o in $(options_of "$c"); do
            grep -qE -- "^\.B (.*, )?$o( |\$)" "$scratch/page" || { echo "$c $o is not in the page"; return 1; }
        done
    done
}
check "the manual page tells every command and every option" told
if have groff; then
    formatted() {
        [ -z "$(groff -man -ww -Tutf8 "$page" 2>&1 >"$scratch/formatted")" ] && grep -q 'netc - compiles' "$scratch/formatted"
    }
    check "the manual page is sound" formatted
else
    skip "the manual page is sound: there is no groff"
fi

complete_with() {
    # complete_with WORD...: what bash offers for the last of them
    bash -c 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _netc; printf "%s\n" "${COMPREPLY[@]}"' \
        bash "$prefix/share/bash-completion/completions/netc" "$@"
}
bash_completes() {
    complete_with netc ru | grep -qx run && complete_with netc run --wei | grep -qx -- --weights &&
        complete_with netc x.net --embed i | grep -qx incbin && complete_with netc x.net --targ | grep -qx -- --target &&
        [ -z "$(complete_with netc show --weig)" ] || return 1
    for c in $commands; do
        complete_with netc "$c" - | sort >"$scratch/offered"
        for o in $(options_of "$c"); do
            grep -qx -- "$o" "$scratch/offered" || { echo "$c $o is not offered"; return 1; }
        done
    done
}
check "bash completes commands, options and their words" bash_completes
for shell in zsh fish; do
    file=$prefix/share/zsh/site-functions/_netc
    [ $shell = fish ] && file=$prefix/share/fish/vendor_completions.d/netc.fish
    if have $shell; then check "$shell can read its completions" $shell -n "$file"; else skip "there is no $shell"; fi
done
finish
