#!/bin/sh
# Times netc's C for one net, in the words of a benchmark of peers: netc.sh NET BATCH THREADS SECONDS. Compiles once
# and keeps the program under build/bench. NETC, CC and CFLAGS may be set; TARGET goes to --target.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
netc=${NETC:-$root/build/netc}
net=$1 batch=$2 threads=$3 seconds=$4
case $net in lstm) file=row_lstm ;; cifar18) file=resnet18_cifar ;; mobilenet) file=mobilenet_v2 ;; *) file=$net ;; esac
dir=$root/build/bench/$file-b$batch-${CC:-cc}-${TARGET:-any}
if [ ! -x "$dir/time" ] || [ "$netc" -nt "$dir/time" ]; then
    mkdir -p "$dir"
    "$netc" "$root/examples/$file.net" --prefix net --batch "$batch" ${TARGET:+--target=$TARGET} -o "$dir/net.c" >&2
    in=$(sed -n 's/^#define \(NET_[A-Z0-9_]*_SIZE\) .*/\1/p' "$dir/net.h" | head -n 1)
    out=$(sed -n 's/^#define \(NET_[A-Z0-9_]*_SIZE\) .*/\1/p' "$dir/net.h" | tail -n 1)
    ${CC:-cc} -std=c11 ${CFLAGS:--O2 -fopenmp} -I"$dir" -DIN_SIZE="$in" -DOUT_SIZE="$out" \
        "$root/tests/bench/time.c" "$dir/net.c" -o "$dir/time"
fi
OMP_NUM_THREADS=$threads taskset -c "0-$((threads - 1))" "$dir/time" "$seconds"
