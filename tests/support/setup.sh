#!/bin/sh
# Installs what netc is built (and, with "test" or "lint", tested or linted) with, where that can be done: on
# Debian and its kin, as root. Elsewhere says what is missing. Does nothing, fast, where all is there.
set -eu
build="make gcc pkg-config flex bison libjansson-dev libzip-dev libpng-dev libjpeg62-turbo-dev zlib1g-dev libcairo2-dev"
tests="libcmocka-dev g++ clang binutils valgrind libclang-rt-14-dev libomp-dev gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user xz-utils jq locales cmake python3-numpy groff-base zsh fish llvm-19-dev"
lint="libcmocka-dev clang clang-tidy clang-format llvm-19-dev"
case ${1:-} in
test) wanted="$build $tests" ;;
lint) wanted="$build $lint" ;;
*) wanted=$build ;;
esac

missing=
if command -v dpkg-query >/dev/null 2>&1; then
    for p in $wanted; do
        dpkg-query -W -f '${Status}\n' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
    done
else
    for tool in cc flex bison pkg-config; do
        command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
    done
    for library in jansson libzip libpng libjpeg zlib cairo; do
        pkg-config --exists "$library" 2>/dev/null || missing="$missing $library"
    done
fi
[ -z "$missing" ] && exit 0

if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    echo "installing:$missing" >&2
    apt-get update -qq >&2
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
    exit 0
fi
echo "error: netc needs packages that are not installed:$missing" >&2
if command -v apt-get >/dev/null 2>&1; then
    echo "       install them with: sudo apt-get install$missing" >&2
else
    echo "       (these are their names in Debian; your system's may differ)" >&2
fi
exit 1
