#!/bin/sh
# What LLVM writes: .o, .s, .ll and .so with their header, called by the host program that the C output is tested
# with, without a team and with one; other machines' objects under qemu.
. tests/support/e2e.sh

"$NETC" examples/lenet5.net -o "$scratch/probe.o" 2>"$scratch/probe.log" || {
    grep -q 'built without LLVM' "$scratch/probe.log" || { not_ok "lenet5 is compiled to an object" "$scratch/probe.log"; finish; }
    skip "this netc was built without LLVM"
    finish
}

. tests/support/lend.sh

for net in lenet5 lenet5_rbf resnet20 row_lstm char_rnn rnn_n_to_m tagger; do
    dir=$scratch/$net
    write "$net" "$dir" o --batch "$(batch_of "$net")" || { not_ok "$net is compiled to an object"; continue; }
    check "$net.o gives PyTorch's numbers" against_pytorch "$net" "$dir" o "" cc
    check "$net.o: not a bit differs on three threads of the host's" same_with_team "$net" "$dir"
done
check "lenet5.o: every misuse gives its code" "$scratch/lenet5/host" 1 errors
for net in row_lstm char_rnn; do check "$net.o: every misuse gives its code" "$scratch/$net/host" 1 errors; done

for target in c99 avx2 avx512 neon; do
    dir=$scratch/lenet5-$target
    "$NETC" run examples/lenet5.net --seed 1 --input random:1 --target=$target --backend llvm >/dev/null 2>&1 || continue
    write lenet5 "$dir" o --batch "$(batch_of lenet5)" --target=$target
    check "lenet5.o for $target alone gives PyTorch's numbers" against_pytorch lenet5 "$dir" o "" cc
done

# ---- other forms ----

write lenet5 "$scratch/s" s --batch "$(batch_of lenet5)"
check "lenet5.s, assembled by cc" against_pytorch lenet5 "$scratch/s" s "" cc
write lenet5 "$scratch/so" so --batch "$(batch_of lenet5)"
check "lenet5.so, loaded when the host starts" against_pytorch lenet5 "$scratch/so" so "" cc
write lenet5 "$scratch/ll" ll
check "lenet5.ll defines the entry" grep -q '^define .*@net_forward(' "$scratch/ll/net.ll"

polite() {
    nm -u "$1" | awk '{ print $NF }' | grep -v -E '^(mem(cpy|move|set|cmp)|__cpu_model|__cpu_indicator_init)$' && return 1
    nm -g --defined-only "$1" | awk '{ print $NF }' | grep -v '^net_' && return 1
    nm "$1" | grep -E ' [bBdDcC] ' && return 1
    return 0
}
check "lenet5.o: needs no library, exports only its prefix, has no mutable data" polite "$scratch/lenet5/net.o"
again() {
    write lenet5 "$scratch/again" o --batch "$(batch_of lenet5)" && cmp "$scratch/again/net.o" "$scratch/lenet5/net.o"
}
check "the same net gives the same bytes" again

# ---- weights inside ----

cat >"$scratch/inside.c" <<'END'
#include "net.h"
#include <stdio.h>
#include <stdlib.h>
int main(void) {
    static float image[NET_IMAGE_SIZE], logits[NET_LOGITS_SIZE];
    for (int k = 0; k < NET_IMAGE_SIZE; k++) image[k] = (float)(k % 17) / 17;
    void *workspace = aligned_alloc(NET_ALIGN, NET_WORKSPACE_BYTES);
    if (net_forward(LENT net_weights(), 1, image, logits, workspace, NET_WORKSPACE_BYTES)) return 1;
    for (int k = 0; k < NET_LOGITS_SIZE; k++) printf("%.9g\n", logits[k]);
    return 0;
}
END
inside() {
    for suffix in c o; do
        mkdir -p "$scratch/in-$suffix"
        "$NETC" examples/resnet20.net --prefix net --weights examples/weights/resnet20.th --embed=array \
            -o "$scratch/in-$suffix/net.$suffix" || return 1
        lent= && [ $suffix = c ] || lent=NULL,
        cc -O2 -std=c11 -DLENT="$lent" -I"$scratch/in-$suffix" "$scratch/inside.c" "$scratch/in-$suffix/net.$suffix" \
            -o "$scratch/in-$suffix/host" || return 1
        "$scratch/in-$suffix/host" >"$scratch/in-$suffix/out" || return 1
    done
    agree "$scratch/in-c/out" "$scratch/in-o/out" 1e-6
}
check "resnet20.o with its weights inside gives what resnet20.c with them gives" inside

# ---- other machines ----

if have aarch64-linux-gnu-gcc && have qemu-aarch64; then
    for net in lenet5 lenet5_rbf resnet20 row_lstm char_rnn; do
        dir=$scratch/arm-$net
        write "$net" "$dir" o --batch "$(batch_of "$net")" --triple aarch64-linux-gnu
        check "$net.o for aarch64 gives PyTorch's numbers (qemu)" \
            against_pytorch "$net" "$dir" o qemu-aarch64 aarch64-linux-gnu-gcc -static
    done
else
    skip "no aarch64 compiler or qemu"
fi
# other TRIPLE WORDS: both nets become objects, of the kind that WORDS tell (readelf's header; wasm has none)
other() {
    for n in lenet5 row_lstm; do
        "$NETC" examples/$n.net --triple "$1" -o "$scratch/other.o" || return 1
        case $2 in
        wasm) od -An -c -N4 "$scratch/other.o" | tr -d ' ' | grep -q '^.0asm' ;;
        *) readelf -h "$scratch/other.o" | tr -s ' \n' ' ' | grep -E "$2" ;;
        esac || return 1
    done
}
check "lenet5 and row_lstm are compiled for riscv64" other riscv64-linux-gnu 'ELF64 .*REL .*Machine: RISC-V .*double-float ABI'
check "... for armv7" other armv7-linux-gnueabihf 'ELF32 .*REL .*Machine: ARM '
check "... for wasm32" other wasm32-unknown-unknown wasm
check "... for aarch64" other aarch64-linux-gnu 'ELF64 .*REL .*Machine: AArch64'

# ---- what is refused ----

refused() { # TEXT ARGUMENT...
    text=$1
    shift
    "$NETC_SAN" examples/lenet5.net "$@" >"$scratch/refused.log" 2>&1 && return 1
    cat "$scratch/refused.log"
    grep -q -e "$text" "$scratch/refused.log"
}
check "an unknown triple is refused" refused '--triple nosuch' --triple nosuch -o "$scratch/x.o"
check "a target that the triple's machines lack is refused" refused '--target' --triple riscv64-linux-gnu --target=avx2 -o "$scratch/x.o"
check "--triple is refused for C" refused '--triple' --triple aarch64-linux-gnu -o "$scratch/x.c"
check "--triple is refused for shared objects" refused 'linker' --triple aarch64-linux-gnu -o "$scratch/x.so"
check "--embed=file is refused for objects" refused '--embed' --seed 1 --embed=file -o "$scratch/x.o"
finish
