#!/bin/sh
# examples/embed/train-mnist: built as its README says, it learns digits; objects that train give the same bits as C.
. tests/support/e2e.sh

data=../shared/data/mnist
# first COUNT KIND EACH FILE: the IDX file with so many of its items
first() {
    head=$([ "$2" = 3 ] && echo 16 || echo 8)
    gunzip -c "$data/$4.gz" | head -c $((head + $1 * $3)) >"$scratch/whole"
    head -c 4 "$scratch/whole" >"$scratch/data/$4"
    # shellcheck disable=SC2059
    printf "\\0\\0\\$(printf %03o $(($1 / 256)))\\$(printf %03o $(($1 % 256)))" >>"$scratch/data/$4"
    tail -c +9 "$scratch/whole" >>"$scratch/data/$4"
}

build() {
    mkdir -p "$scratch/embed"
    cp -r examples/embed/train-mnist examples/mnist.net "$scratch/embed" || return 1
    mkdir -p "$scratch/embed/x" && mv "$scratch/embed/train-mnist" "$scratch/embed/x"
    NETC_PATH=$(cd "$(dirname "$NETC")" && pwd)/$(basename "$NETC")
    make -C "$scratch/embed/x/train-mnist" NETC="$NETC_PATH" CFLAGS='-O1 -Wall -Wextra -Werror'
}
check "train-mnist is built as its README says" build
program=$scratch/embed/x/train-mnist/train-mnist

if [ -f "$data/train-images-idx3-ubyte.gz" ]; then
    mkdir -p "$scratch/data"
    first 2000 3 784 train-images-idx3-ubyte
    first 2000 1 1 train-labels-idx1-ubyte
    first 500 3 784 t10k-images-idx3-ubyte
    first 500 1 1 t10k-labels-idx1-ubyte
    learns() {
        "$program" "$scratch/data" 3 >"$scratch/out" || return 1
        cat "$scratch/out"
        awk '{ losses[NR] = $4; right = $7 } END { exit !(NR == 3 && losses[3] < losses[1] / 2 && right > 75) }' "$scratch/out"
    }
    check "2,000 digits, three epochs: most of 500 others are read" learns
    unreadable() {
        head -c 5000 "$scratch/data/train-images-idx3-ubyte" >"$scratch/data/short" && mv "$scratch/data/short" "$scratch/data/train-images-idx3-ubyte"
        "$program" "$scratch/data" 1 2>&1 | grep -q 'cut short'
    }
    check "a file that is cut short is told" unreadable
else
    skip "no $data"
fi

# ---- C and LLVM ----

cat >"$scratch/tiny.net" <<'END'
net tiny {
    input word[4] int
    input image[3, 8, 8]
    x = image -> conv1: conv(16, 3, pad = 1) -> bn1: batchnorm -> relu -> avgpool(8)
    x = x -> flatten -> dropout(0.25)
    e = word -> embed: embedding(10, 16) -> mean(1)
    output y = tanh(x + e) -> fc: linear(5)
    train {
        loss = cross_entropy(y)
        optimizer = sgd(lr = 0.01, momentum = 0.9)
        batch = 3
    }
}
END
cat >"$scratch/tiny.c" <<'END'
#include "net.h"
#include <stdio.h>
static tiny_params params;
static tiny_optimizer o;
static float image[3 * TINY_IMAGE_SIZE];
static int32_t word[3 * TINY_WORD_SIZE], label[3 * TINY_LABEL_SIZE] = {4, 0, 2};
static _Alignas(64) char w[TINY_STEP_WORKSPACE_BYTES];
static int step(float rate) {
    float loss = 0;
    int code = tiny_step(LENT &params, &o, 3 - (int)o.step % 2, word, image, label, rate, &loss, w, sizeof w);
    printf("%d %a\n", code, code && code != TINY_NOT_FINITE ? 0 : loss == loss ? loss : 0);
    return code;
}
static void show(const char *at, const tiny_tensor *t) {
    for (; *t->name; t++) {
        const float *x = (const float *)(const void *)(at + t->offset);
        printf("%s %d %d %d\n", t->name, (int)t->count, t->rank, t->dims[0]);
        for (size_t k = 0; k < t->count; k++) printf("%a\n", x[k]);
    }
}
int main(void) {
    for (int k = 0; k < 3 * TINY_IMAGE_SIZE; k++) image[k] = (float)((k * 31) % 255 - 100) / 128;
    for (int k = 0; k < 3 * TINY_WORD_SIZE; k++) word[k] = k % 10;
    if (tiny_init(LENT &params, 1234567890123456789u)) return 1;
    o.seed = 42;
    for (int k = 0; k < 4; k++)
        if (step(0.01f)) return 2;
    label[1] = 5, step(0.01f);
    label[1] = -1, step(0.01f);
    label[1] = 1, step(1 / (float)(o.step - 4));
    image[0] = 1 / (float)(o.step - 4), step(0.01f);
    show((const char *)&params, tiny_tensors);
    show((const char *)&o, tiny_optimizer_tensors);
    puts(tiny_error(TINY_SMALL_WORKSPACE));
    return (int)o.step - 4;
}
END
# trained SUFFIX [OPTION...]: what the program prints with the net in this form
trained() {
    dir=$scratch/t-$1 suffix=$1 lent=NULL,
    shift
    mkdir -p "$dir"
    [ "$suffix" = c ] && lent=
    "$NETC" --train "$scratch/tiny.net" -o "$dir/net.$suffix" "$@" &&
        cc -O1 -std=c11 -DLENT="$lent" -I"$dir" "$scratch/tiny.c" "$dir/net.$suffix" -o "$dir/host" -Wl,-rpath,"$dir" &&
        "$dir/host" >"$dir/out"
}
check "a tiny net's pair trains in C" trained c
refusals() { grep -c -E '^(6 0x0p\+0|7 )' "$scratch/t-c/out" | grep -qx 4; }
check "labels and numbers that are none are refused" refusals
if "$NETC" "$scratch/tiny.net" -o "$scratch/probe.o" 2>/dev/null; then
    for suffix in o so s; do
        same() { trained $suffix && cmp "$scratch/t-c/out" "$scratch/t-$suffix/out"; }
        check "net.$suffix gives the same bits" same
    done
else
    skip "this netc was built without LLVM"
fi

# ---- what is refused ----

refused() { # TEXT CODE ARGUMENT...
    text=$1 code=$2
    shift 2
    "$NETC_SAN" "$@" >"$scratch/refused.log" 2>&1
    [ $? = "$code" ] || return 1
    cat "$scratch/refused.log"
    grep -q -e "$text" "$scratch/refused.log"
}
check "a net that says no loss is refused with its line" refused 'vgg_blocks.net:[0-9]*:' 1 --train examples/vgg16.net -o "$scratch/x.c"
check "weights are not embedded in what trains" refused '--train' 2 --train examples/mnist.net --seed 1 -o "$scratch/x.c"
finish
