#!/bin/sh
# What abi.md promises of the generated pair: no warning as C11 and C++17, no allocation, no output, no mutable data,
# the same bytes from anywhere, codes for every misuse.
. tests/support/e2e.sh

nets="mnist lenet5 lenet5_rbf resnet20 mobilenet_v2 alexnet2012 googlenet row_lstm row_gru char_rnn rnn_n_to_m perceptron"
warnings="-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror"

# Each compiler, language, and OpenMP or not; -O0 runs the whole of the compiler's front end.
compile_all() {
    for openmp in "" -fopenmp; do
        for how in "gcc -std=c11" "g++ -x c++ -std=c++17" "clang -std=c11" "clang++ -x c++ -std=c++17"; do
            # shellcheck disable=SC2086
            $how $warnings $openmp -fsyntax-only "$1" || { echo "with $how $openmp"; return 1; }
        done
    done
}

for net in $nets; do
    emit "$net" "$scratch/$net" --batch 2 || { not_ok "$net is compiled to C"; continue; }
    check "$net: no warning from gcc and clang, as C11 and C++17, with and without OpenMP" compile_all "$scratch/$net/net.c"
done

# Weights in the file, and optimised: warnings that come from data flow.
"$NETC" examples/resnet20.net --weights examples/weights/resnet20.th --embed=array -o "$scratch/with.c" ||
    not_ok "resnet20 is compiled with its weights"
for how in "gcc -std=c11" "clang -x c++ -std=c++17"; do
    # shellcheck disable=SC2086
    check "resnet20 with weights inside: no warning at -O2 from $how" \
        $how $warnings -O2 -fopenmp -c "$scratch/with.c" -o "$scratch/with.o"
done

# ---- what an object needs, and what it may change ----

# Undefined symbols that are not OpenMP's, memcpy and its kin, or the compiler's own helpers.
foreign() {
    nm -u "$1" | awk '{ print $NF }' |
        grep -v -E '^(GOMP_|omp_get_(thread_num|num_threads|max_threads)$|mem(cpy|move|set|cmp)$|__cpu_model$|__cpu_indicator_init$|_GLOBAL_OFFSET_TABLE_$|__stack_chk_fail$)'
}
# Bytes of writable sections.
writable() {
    size -A -d "$1" | awk '/^\.(data|bss|tdata|tbss|init_array|ctors)/ { sum += $2 } END { print sum + 0 }'
}
polite() {
    foreign "$1" && return 1
    [ "$(writable "$1")" = 0 ] || { size -A "$1"; return 1; }
    nm "$1" | grep -E ' [bBdDcCsS] ' && return 1
    return 0
}

for net in mnist lenet5_rbf row_lstm char_rnn mobilenet_v2; do
    gcc -std=c11 -O2 -fopenmp -c "$scratch/$net/net.c" -o "$scratch/$net/net.o"
    check "$net: needs nothing but memcpy and OpenMP, has no mutable data" polite "$scratch/$net/net.o"
    clang -std=c11 -O2 -fPIC -c "$scratch/$net/net.c" -o "$scratch/$net/clang.o"
    check "$net: the same from clang as a part of a library" polite "$scratch/$net/clang.o"
done
gcc -std=c11 -O2 -fopenmp -c "$scratch/with.c" -o "$scratch/with.o"
check "resnet20 with weights inside: the same" polite "$scratch/with.o"

exported() {
    nm -g --defined-only "$1" | awk '{ print $NF }' | grep -v '^net_' && return 1
    return 0
}
check "nothing is exported that does not begin with the prefix" exported "$scratch/mobilenet_v2/net.o"

includes() {
    grep -h '^ *# *include' "$1/net.c" "$1/net.h" |
        grep -v -x -F -e '#include <stddef.h>' -e '#include <stdint.h>' -e '#include <immintrin.h>' \
            -e '#include <arm_neon.h>' -e '#include "net.h"' && return 1
    return 0
}
for net in $nets; do includes "$scratch/$net" || failing=$net; done
if [ -z "${failing:-}" ]; then ok "only stddef.h, stdint.h and intrinsics are included"; else not_ok "$failing includes more"; fi

# ---- the same bytes from anywhere ----

root=$(pwd)
absolute=$(cd "$(dirname "$NETC")" && pwd)/$(basename "$NETC")
same_as() {
    cmp "$1/net.c" "$scratch/resnet20/net.c" && cmp "$1/net.h" "$scratch/resnet20/net.h"
}
mkdir -p "$scratch/else where"
(cd "$scratch/else where" && "$absolute" "$root/examples/resnet20.net" --prefix net --batch 2 -o net.c)
check "from another folder, by an absolute path: the same bytes" same_as "$scratch/else where"
(cd examples && "$absolute" resnet20.net --prefix net --batch 2 -o "$scratch/else where/net.c")
check "from the net's folder: the same bytes" same_as "$scratch/else where"
locale=$(locale -a 2>/dev/null | grep -E -i -m 1 '^(de|fr|ru|es)_.*utf' || true)
if [ -z "$locale" ] && have localedef && localedef -i de_DE -f UTF-8 "$scratch/de_DE.UTF-8" 2>/dev/null; then
    LOCPATH=$scratch
    export LOCPATH
    locale=de_DE.UTF-8
fi
[ -n "$locale" ] || skip "no locale with decimal commas here: LC_ALL is set to one all the same"
LC_ALL=${locale:-de_DE.UTF-8} TZ=Asia/Tokyo emit resnet20 "$scratch/locale" --batch 2
check "in another locale and time zone (${locale:-none}): the same bytes" same_as "$scratch/locale"
unset LOCPATH
if have faketime; then
    faketime '2001-02-03 04:05:06' "$NETC" examples/resnet20.net --prefix net --batch 2 -o "$scratch/locale/net.c"
else
    sleep 1 # at least the second differs
    SOURCE_DATE_EPOCH=1 emit resnet20 "$scratch/locale" --batch 2
fi
check "at another time: the same bytes" same_as "$scratch/locale"
emit resnet20 "$scratch/locale" --batch 2 && emit resnet20 "$scratch/locale" --batch 2
check "written over itself: the same bytes" same_as "$scratch/locale"
sanitized() {
    NETC=$NETC_SAN emit resnet20 "$scratch/sanitized" --batch 2 && same_as "$scratch/sanitized"
}
check "by a netc built with other options: the same bytes" sanitized
no_paths() {
    grep -l -F -e "$root" -e "$scratch" "$scratch"/*/net.[ch] && return 1
    return 0
}
check "no path of this machine in the output" no_paths

# ---- what the code says of itself ----

comments() {
    for layer in conv1 conv2 fc; do grep -q "/\*.*$layer" "$scratch/mnist/net.c" || { echo "no comment on $layer"; return 1; }; done
}
check "comments name the layers" comments

# ---- codes ----

for net in mnist char_rnn; do
    host "$scratch/$net" host gcc -DBOUND=64
    check "$net: every misuse gives its code" "$scratch/$net/host" 1 errors
done

# ---- weights inside, beside, and from the assembler ----

cat >"$scratch/weights.c" <<'END'
#include "net.h"
#include <stdio.h>
#include <stdlib.h>
static _Alignas(64) char workspace[NET_WORKSPACE_BYTES];
static float image[NET_IMAGE_SIZE], logits[NET_LOGITS_SIZE];
int main(void) {
    const void *packed;
#ifdef LOAD
    char *bytes = NULL;
    if (posix_memalign((void **)&bytes, 64, NET_PACKED_BYTES + 64) != 0) return 3;
    FILE *f = fopen(LOAD, "rb");
    if (!f || fread(bytes, 1, NET_PACKED_BYTES + 1, f) != NET_PACKED_BYTES) return 4;
    packed = net_load(bytes, NET_PACKED_BYTES);
    if (net_load(bytes, NET_PACKED_BYTES - 1) || net_load(bytes + 4, NET_PACKED_BYTES - 4) || net_load(NULL, 64)) return 5;
    bytes[20] ^= 1; /* of another net */
    if (net_load(bytes, NET_PACKED_BYTES)) return 6;
    bytes[20] ^= 1;
#else
    packed = net_weights();
#endif
    if (!packed) return 7;
    for (int i = 0; i < NET_IMAGE_SIZE; i++) image[i] = (float)(i % 17) / 8 - 1;
    if (net_forward(packed, 1, image, logits, workspace, sizeof workspace) != NET_OK) return 8;
    for (int i = 0; i < NET_LOGITS_SIZE; i++) printf("%.9g\n", (double)logits[i]);
    return 0;
}
END
embedded() {
    mkdir -p "$scratch/$1"
    "$NETC" examples/resnet20.net --weights examples/weights/resnet20.th --prefix net --embed="$1" -o "$scratch/$1/net.c" || return 1
    here=$(pwd)
    shift_name=$1
    shift
    (cd "$scratch/$shift_name" && gcc -std=c11 -D_GNU_SOURCE -O1 "$@" -I. ../weights.c net.c -o run && ./run >out) || return 1
    cd "$here" || return 1
}
check "weights as an array" embedded array
check "weights by .incbin" embedded incbin
check "weights as a file, loaded where it lies; other bytes are refused" embedded file -DLOAD='"net.weights"'
check "incbin gives what the array gives, bit for bit" cmp "$scratch/array/out" "$scratch/incbin/out"
check "the file gives what the array gives, bit for bit" cmp "$scratch/array/out" "$scratch/file/out"

finish
