#!/bin/sh
# C with --executor: its entries take the host's threads first, with the header that objects have, and run on them as
# they come: parts out of order, some threads slower than others, or no thread but the caller's.
. tests/support/e2e.sh
. tests/support/lend.sh

warnings="-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror"
# compiled NET DIR [OPTION...]: DIR/net.c compiled to DIR/net.o
compiled() {
    dir=$2
    write "$1" "$2" c --executor --batch "$(batch_of "$1")" || return 1
    cc -std=c11 -O2 $warnings -c "$dir/net.c" -o "$dir/net.o"
}

for net in lenet5 resnet20 row_lstm char_rnn tagger; do
    dir=$scratch/$net
    check "$net.c compiles without a warning" compiled "$net" "$dir"
    check "$net.c gives PyTorch's numbers" against_pytorch "$net" "$dir" o "" cc
    check "$net.c: not a bit differs on three threads of the host's" same_with_team "$net" "$dir"
done
for net in lenet5 row_lstm char_rnn; do check "$net.c: every misuse gives its code" "$scratch/$net/host" 1 errors; done

check "no word of OpenMP" sh -c "! grep -q 'OPENMP\|omp_\|pragma omp' '$scratch/resnet20/net.c'"
check "as C++" g++ -std=c++17 -O1 -x c++ $warnings -c "$scratch/resnet20/net.c" -o "$scratch/cpp.o"
check "by clang, as C99" clang -std=c99 -O1 $warnings -c "$scratch/resnet20/net.c" -o "$scratch/clang.o"
lent() { grep -q 'executor->run' "$scratch/$1/net.c"; }
check "resnet20 has calls worth a thread" lent resnet20

# more threads than the workspace has scratch for; one thread of two
narrow() {
    dir=$scratch/narrow
    write resnet20 "$dir" c --executor --max-threads 2 --batch "$(batch_of resnet20)" || return 1
    cc -std=c11 -O2 -c "$dir/net.c" -o "$dir/net.o" && against_pytorch resnet20 "$dir" o "" cc && same_with_team resnet20 "$dir"
}
check "resnet20 with scratch for two threads, on three" narrow

same_header() {
    "$NETC" examples/lenet5.net -o "$scratch/a.c" --executor && "$NETC" examples/lenet5.net -o "$scratch/b.o" || return 1
    cmp "$scratch/a.h" "$scratch/b.h"
}
if "$NETC" examples/lenet5.net -o "$scratch/b.o" 2>/dev/null; then
    check "the header is the object's" same_header
else
    skip "this netc was built without LLVM"
fi

# ---- a step of training ----

cat >"$scratch/steps.c" <<'END'
#include "net.h"
#include <stdio.h>
#include <stdlib.h>
#ifdef EXECUTOR
static void oddly(void *user, void (*body)(void *arg, int i, int slot), void *arg, int count) {
    (void)user;
    for (int i = count - 1; i >= 0; i--) body(arg, i, i % 3);
}
static const net_executor lent = {0, 3, oddly};
#define WITH(...) (EXECUTOR, __VA_ARGS__)
#else
#define WITH(...) (__VA_ARGS__)
#endif
static net_params params;
static net_optimizer optimizer;
int main(void) {
    static float image[64 * NET_IMAGE_SIZE];
    static int32_t label[64];
    float loss = 0;
    void *workspace = aligned_alloc(NET_ALIGN, NET_STEP_WORKSPACE_BYTES);
    for (int k = 0; k < 64 * NET_IMAGE_SIZE; k++) image[k] = (float)(k % 13) / 13;
    for (int k = 0; k < 64; k++) label[k] = k * 7 % 10;
    if (net_init WITH(&params, 7)) return 1;
    for (int k = 0; k < 3; k++) {
        if (net_step WITH(&params, &optimizer, 64, image, label, 0.01f, &loss, workspace, NET_STEP_WORKSPACE_BYTES)) return 2;
        printf("%a\n", loss);
    }
    const float *all = (const float *)&params;
    for (int k = 0; k < NET_VALUES; k++) printf("%a\n", all[k]);
    return 0;
}
END
# steps DIR [--executor EXPRESSION]: three losses and what the weights are then, in DIR/out
steps() {
    dir=$scratch/$1
    mkdir -p "$dir"
    "$NETC" examples/mnist.net --train --batch 64 --prefix net $2 -o "$dir/net.c" || return 1
    cc -std=c11 -O2 $warnings -c "$dir/net.c" -o "$dir/net.o" || return 1
    cc -std=c11 -O1 -Wall ${3:+"-DEXECUTOR=$3"} -I"$dir" "$scratch/steps.c" "$dir/net.o" -o "$dir/steps" && "$dir/steps" >"$dir/out"
}
check "mnist, training: C without" steps plain
check "... with nobody's threads" steps nobody --executor '(const net_executor *)0'
check "... with the host's" steps host --executor '&lent'
changed() { [ "$(sort -u "$scratch/plain/out" | wc -l)" -gt 1000 ] && cmp "$scratch/plain/out" "$scratch/$1/out"; }
check "not a bit differs with nobody's threads" changed nobody
check "... nor with the host's" changed host
check "steps have calls worth a thread" sh -c "grep -q 'executor->run' '$scratch/host/net.c'"
finish
