#!/bin/sh
# Every net of the zoo through generated C, as a user compiles it, against PyTorch's outputs (tests/goldens/zoo).
if [ "${1:-}" = --one ]; then # zoo.sh --one NET FOLDER: the verdict goes to FOLDER/NET.log
    NET=$2 FOLDER=$3
    . tests/support/e2e.sh
    one_net() {
        n=$(batch_of "$NET")
        emit "$NET" "$scratch/net" --batch "$n" --target=native &&
            host "$scratch/net" host "$CC" "$(bound_of "$NET")" -O2 -fopenmp &&
            OMP_NUM_THREADS=1 "$scratch/net/host" "$n" >"$scratch/out" || return 1
        golden "$NET" >"$scratch/golden"
        # a second call of nets with state comes behind the first
        head -n "$(wc -l <"$scratch/golden")" "$scratch/out" >"$scratch/first"
        agree "$scratch/golden" "$scratch/first" 1e-4
    }
    if one_net >"$scratch/log" 2>&1; then echo "ok $NET" >>"$scratch/log"; fi
    mv "$scratch/log" "$FOLDER/$NET.log"
    exit 0
fi
. tests/support/e2e.sh

mkdir "$scratch/logs"
nets=$(cd tests/goldens/zoo && ls -S ../params | sed 's/\.params$//')
for net in $nets; do echo "$net"; done | xargs -P "$(nproc)" -I NET sh "$0" --one NET "$scratch/logs"
for net in $nets; do
    text="$net through C gives PyTorch's outputs"
    if grep -q "^ok $net\$" "$scratch/logs/$net.log"; then ok "$text"; else not_ok "$text" "$scratch/logs/$net.log"; fi
done

# limited SECONDS COMMAND...: of the processor
limited() {
    seconds=$1
    shift
    (ulimit -t "$seconds" && exec "$@")
}
check "netc resnet50.net takes under a second" limited 1 "$NETC" examples/resnet50.net -o "$scratch/resnet50.c"
check "cc -O2 -fopenmp of it takes under 30 seconds" limited 30 "$CC" -O2 -fopenmp -c "$scratch/resnet50.c" -o "$scratch/resnet50.o"

finish
