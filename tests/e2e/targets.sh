#!/bin/sh
# The same numbers from every instruction set, compiler and number of threads; sound memory in generated code. Host
# programs (host.c) take PyTorch's weights of tests/goldens/zoo, so that they are held against its outputs too.
. tests/support/e2e.sh

flags_of() {
    grep -o -w -m 1 "$1" /proc/cpuinfo 2>/dev/null | head -n 1
}
runs_here() {
    case $1 in
    avx512) [ -n "$(flags_of avx512f)" ] && [ -n "$(flags_of avx512vl)" ] ;;
    avx2) [ -n "$(flags_of avx2)" ] && [ -n "$(flags_of fma)" ] ;;
    neon) [ "$(uname -m)" = aarch64 ] ;;
    *) true ;;
    esac
}

# Of the first call, which starts from zeros.
first_call() {
    head -n "$(wc -l <"$1.golden")" "$1.out"
}

# ---- instruction sets, against PyTorch and one another ----

nets="lenet5 lenet5_rbf resnet20 row_lstm row_gru char_rnn rnn_n_to_m tagger"

# one_target NET TARGET RUNNER COMPILER FLAGS...: compiles, runs, compares; the outputs stay in DIR/host.out
one_target() {
    net=$1 target=$2 runner=$3 compiler=$4 dir=$scratch/$1-$2
    shift 4
    n=$(batch_of "$net")
    emit "$net" "$dir" --batch "$n" --target="$target" || return 1
    host "$dir" host "$compiler" "$(bound_of "$net")" "$@" || return 1
    $runner "$dir/host" "$n" >"$dir/host.out" || return 1
    golden "$net" >"$dir/host.golden"
    first_call "$dir/host" >"$dir/host.first"
    agree "$dir/host.golden" "$dir/host.first" 1e-4
}

for net in $nets; do
    for target in c99 avx2 avx512 neon; do
        if runs_here $target; then
            check "$net for $target gives PyTorch's numbers" one_target "$net" $target "" gcc
        fi
        [ $target = c99 ] || [ ! -f "$scratch/$net-$target/host.out" ] || check "$net: $target agrees with c99" \
            agree "$scratch/$net-c99/host.out" "$scratch/$net-$target/host.out" 1e-5
    done
done
for target in avx2 avx512; do
    runs_here $target || skip "$target: this machine has not the instructions"
done

if have aarch64-linux-gnu-gcc && have qemu-aarch64; then
    for net in lenet5 lenet5_rbf resnet20 row_lstm char_rnn rnn_n_to_m; do
        check "$net for neon gives PyTorch's numbers (qemu)" one_target "$net" neon qemu-aarch64 aarch64-linux-gnu-gcc -static
        check "$net: neon agrees with c99" agree "$scratch/$net-c99/host.out" "$scratch/$net-neon/host.out" 1e-5
    done
    for net in alexnet2012 mobilenet_v2; do
        emit "$net" "$scratch/arm" --target=neon && check "$net: no warning from the cross compiler" aarch64-linux-gnu-gcc -std=c11 \
            -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -O1 -c "$scratch/arm/net.c" -o "$scratch/arm/net.o"
    done
else
    skip "neon: there is no cross compiler or no qemu-aarch64"
fi

plain() {
    grep -n -E '_mm[0-9]*_|immintrin|arm_neon|vector_size|__builtin_cpu_supports|vld1q|__attribute__ *\(\(target' "$scratch/mobilenet_v2/net.c" && return 1
    return 0
}
emit mobilenet_v2 "$scratch/mobilenet_v2" --target=c99
check "c99 has no intrinsics and no vectors of GNU's" plain
check "c99 is C99" gcc -std=c99 -Wall -Wextra -Wpedantic -Werror -fsyntax-only "$scratch/mobilenet_v2/net.c"
without_gnu() {
    sed 's/__GNUC__/NOT_GNU/g; s/__clang__/NOT_CLANG/g' "$scratch/resnet20-c99/net.c" >"$scratch/other.c"
    gcc -std=c99 -pedantic-errors -Werror -I"$scratch/resnet20-c99" -fsyntax-only "$scratch/other.c"
}
check "c99 compiles where the compiler is neither gcc nor clang" without_gnu

# ---- all targets in one file: the machine's is chosen ----

picks() {
    emit resnet20 "$scratch/any" --batch 2 && host "$scratch/any" host gcc && "$scratch/any/host" 2 >"$scratch/any/host.out" || return 1
    for best in avx512 avx2 c99; do
        runs_here $best || continue
        cmp "$scratch/any/host.out" "$scratch/resnet20-$best/host.out"
        return
    done
}
check "a file with all targets gives what the machine's best alone gives, bit for bit" picks

# ---- threads, batches, compilers ----

same_for_threads() {
    net=$1 dir=$scratch/threads-$1
    emit "$net" "$dir" --batch 3 --target=native || return 1
    host "$dir" alone gcc "$(bound_of "$net")" -O2 && "$dir/alone" 3 >"$dir/alone.out" || return 1
    for compiler in gcc clang; do
        host "$dir" team $compiler "$(bound_of "$net")" -O2 -fopenmp || return 1
        for threads in 1 2 5; do
            OMP_NUM_THREADS=$threads OMP_DYNAMIC=false "$dir/team" 3 >"$dir/team.out" || return 1
            cmp "$dir/alone.out" "$dir/team.out" || { echo "with $compiler, $threads threads"; return 1; }
        done
    done
    "$dir/alone" 3 each >"$dir/each.out" || return 1
    head -n "$(wc -l <"$dir/each.out")" "$dir/alone.out" | cmp - "$dir/each.out" || { echo "each sample alone"; return 1; }
}
for net in mnist resnet20 row_lstm char_rnn; do
    check "$net: bit for bit the same without OpenMP, on 1, 2 and 5 threads, from gcc and clang, and a sample at a time" \
        same_for_threads "$net"
done

# ---- pixels ----

same_as_floats() {
    net=$1 dir=$scratch/$1-pixels
    shift
    emit "$net" "$dir" --batch 2 && host "$dir" host gcc "$@" && "$dir/host" 2 pixels >"$dir/both" || return 1
    half=$(($(wc -l <"$dir/both") / 2))
    head -n $half "$dir/both" >"$dir/pixels"
    tail -n $half "$dir/both" >"$dir/floats"
    agree "$dir/floats" "$dir/pixels" 1e-5
}
check "mnist: pixels give what normalised floats give" same_as_floats mnist -DCHANNELS=1 -DMEAN=0.1307 -DSTD=0.3081
check "resnet20: pixels give what normalised floats give" same_as_floats resnet20 \
    -DCHANNELS=3 -DMEAN=0.485,0.456,0.406 -DSTD=0.229,0.224,0.225

# ---- memory ----

# Without optimisation: the sanitizers' checks of every lane take gcc a minute to optimise.
sanitized() {
    net=$1 target=$2 dir=$scratch/$1-$2
    shift 2
    [ -f "$dir/net.c" ] || emit "$net" "$dir" --batch 2 --target="$target" || return 1
    host "$dir" sanitized gcc "$(bound_of "$net")" -O0 -fsanitize=address,undefined -fno-sanitize-recover=all "$@" &&
        "$dir/sanitized" "$(sed -n 's/^#define NET_MAX_BATCH \([0-9]*\).*/\1/p' "$dir/net.h")" >"$dir/sanitized.out"
}
for net in mnist lenet5_rbf resnet20 row_lstm char_rnn rnn_n_to_m; do
    for target in avx512 avx2 c99; do
        runs_here $target && check "$net, $target: clean under ASan and UBSan, buffers of exactly the stated sizes" sanitized $net $target
    done
done
check "resnet20 on several threads: clean under ASan and UBSan" sanitized resnet20 c99 -fopenmp
check "pixels: clean under ASan and UBSan" sanitized mnist c99 -DCHANNELS=1 -DMEAN=0.1307 -DSTD=0.3081
check "pixels: the same, called" "$scratch/mnist-c99/sanitized" 2 pixels

if have valgrind; then
    under_valgrind() {
        dir=$scratch/$1-$2
        host "$dir" plain gcc "$(bound_of "$1")" -g &&
            valgrind -q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=all "$dir/plain" 1 >"$dir/plain.out"
    }
    for net in mnist lenet5_rbf row_lstm char_rnn; do
        check "$net, c99: clean under valgrind" under_valgrind $net c99
        runs_here avx2 && check "$net, avx2: clean under valgrind" under_valgrind $net avx2
    done
else
    skip "valgrind is not here"
fi

finish
