#!/bin/sh
# Times training steps of netc's C for one net, in the words of a benchmark of peers: train.sh NET BATCH THREADS
# SECONDS. The step is the peers': cross entropy, SGD with momentum; the text's own optimizer gives way to it, and a net
# without a recipe gets one. Compiles once and keeps the program under build/bench. NETC, CC and CFLAGS may be set;
# TARGET goes to --target.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
netc=${NETC:-$root/build/netc}
net=$1 batch=$2 threads=$3 seconds=$4
case $net in lstm) file=row_lstm ;; cifar18) file=resnet18_cifar ;; mobilenet) file=mobilenet_v2 ;; *) file=$net ;; esac
dir=$root/build/bench/train-$file-b$batch-${CC:-cc}-${TARGET:-any}
if [ ! -x "$dir/time" ] || [ "$netc" -nt "$dir/time" ]; then
    mkdir -p "$dir"
    cp "$root"/examples/*.net "$dir" # what the text uses lies beside it
    sed '/^    train {/,/^    }/d' "$root/examples/$file.net" | sed '$d' >"$dir/net.net"
    cat >>"$dir/net.net" <<'END'
    train {
        loss      = cross_entropy(logits)
        optimizer = sgd(lr = 0.01, momentum = 0.9)
        init      = uniform
    }
}
END
    "$netc" "$dir/net.net" --train --prefix net --batch "$batch" ${TARGET:+--target=$TARGET} -o "$dir/net.c" >&2
    in=$(sed -n 's/^#define \(NET_[A-Z0-9_]*_SIZE\) .*/\1/p' "$dir/net.h" | head -n 1)
    ${CC:-cc} -std=c11 ${CFLAGS:--O2 -fopenmp} -I"$dir" -DIN_SIZE="$in" "$root/tests/bench/train_time.c" "$dir/net.c" -o "$dir/time"
fi
OMP_NUM_THREADS=$threads taskset -c "0-$((threads - 1))" "$dir/time" "$seconds"
