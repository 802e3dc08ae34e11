#!/bin/sh
# netc profile: its table, what it writes for programs, what it refuses.
. tests/support/e2e.sh
d=$scratch/d
mkdir -p "$d"

# The layers of LeNet as `show` calls them.
names() {
    "$NETC_SAN" show examples/lenet5.net --json | jq -c '[.layers[].name]'
}

profile_json() {
    "$NETC_SAN" profile examples/lenet5.net --seconds 0 --json --trace "$d/trace.json" "$@" >"$d/out.json" 2>"$d/err" || { cat "$d/err"; return 1; }
}

schema() {
    jq -e 'keys == ["backend","batch","layers","machine","milliseconds","net","passes","target","threads","train"] and
        (.machine | keys) == ["bytes","gflops","gigabytes_per_second"] and .machine.gflops > 0 and .machine.gigabytes_per_second > 0 and
        all(.layers[]; keys == ["bytes","floor_milliseconds","gflops","kernels","layers","milliseconds","multiply_adds","name","op",
            "peak","phase","share","way"]) and
        all(.layers[].kernels[]; keys == ["milliseconds","name","runs"])' "$d/out.json" >/dev/null
}

if have jq; then
    interp() { profile_json --backend interp --batch 2 --threads 1; }
    check "profile --json --trace" interp
    check "the keys" schema
    values() {
        jq -e --argjson shown "$(names)" '.net == "lenet5" and .backend == "interp" and .target == "c99" and .batch == 2 and
            .threads == 1 and .passes >= 5 and .train == false and .milliseconds > 0 and
            ([.layers[].share] | add) > 0.999 and ([.layers[].share] | add) < 1.001 and
            ([.layers[].layers[]] | unique) - $shown == [] and
            ([.layers[].name] | index("conv1")) != null and all(.layers[]; .phase == "forward")' "$d/out.json" >/dev/null
    }
    check "names are those of show, shares are shares" values
    work() {
        want=$("$NETC_SAN" show examples/lenet5.net --json | jq .multiply_adds)
        jq -e "([.layers[].multiply_adds] | add) == 2 * $want" "$d/out.json" >/dev/null
    }
    check "multiply-adds are those of show, a sample" work
    trace() {
        jq -e --slurpfile p "$d/out.json" '(.traceEvents | map(select(.ph == "X"))) as $e |
            ([$p[0].layers[].kernels[].runs] | add) == ($e | length) and
            all($e[]; .dur >= 0 and .ts >= 0 and .pid == 1 and .tid == 1 and (.args.kernel | length) > 0 and .cat == "forward") and
            (($e | map(.ts)) == ($e | map(.ts) | sort)) and
            ([$e[].name] | unique) == ([$p[0].layers[].name] | unique) and
            .traceEvents[0].ph == "M" and .traceEvents[0].args.name == "lenet5"' "$d/trace.json" >/dev/null
    }
    check "the trace has every call of a pass" trace
    training() {
        "$NETC_SAN" profile examples/mnist.net --train --batch 2 --seconds 0 --json --backend interp >"$d/out.json" || return 1
        jq -e '.train and .batch == 2 and ([.layers[].phase] | unique) == ["backward","forward","update"] and
            ([.layers[] | select(.name == "loss") | .phase] | unique) == ["backward","forward"] and
            ([.layers[] | select(.phase == "update") | .multiply_adds] | add) == 0' "$d/out.json" >/dev/null && schema
    }
    check "a step of training by phases" training
    scans() {
        "$NETC_SAN" profile examples/row_lstm.net --seconds 0 --json --backend interp >"$d/out.json" &&
            jq -e '[.layers[] | select(.name == "lstm") | .kernels[].runs] | max == 28' "$d/out.json" >/dev/null
    }
    check "what a scan runs at every step" scans
else
    skip "jq is not here"
fi

table() {
    "$NETC_SAN" profile examples/lenet5.net --seconds 0 --backend interp >"$d/table" || return 1
    grep -q '^layer  *computed by  *ms  *share' "$d/table" && grep -Eq '^conv1 .*conv2d direct .* % .*#' "$d/table" &&
        grep -Eq '^lenet5: [0-9.]+ ms a pass of 1 sample, median of [0-9]+; .* floor [0-9.]+ ms$' "$d/table" &&
        grep -Eq "^interp for c99 on [0-9]+ threads?; this machine's peak [0-9]+ GF/s, reads [0-9]+ GB/s" "$d/table"
}
check "the table" table

refused() {
    want=$1 says=$2
    shift 2
    "$NETC_SAN" profile "$@" >"$d/out" 2>"$d/err"
    [ $? -eq "$want" ] && grep -q "$says" "$d/err" && [ ! -s "$d/out" ] || { cat "$d/err"; return 1; }
}
check "no such file" refused 1 "none.net" none.net
check "no recipe" refused 1 "the net says no loss to train by" examples/alexnet.net --train --batch 1
check "an unknown backend" refused 2 "there is no backend 'x'" examples/lenet5.net --backend x
check "too long" refused 2 "from 0 to 3600" examples/lenet5.net --seconds 4000
check "a trace that cannot be written" refused 1 "/none/trace.json" examples/lenet5.net --seconds 0 --backend interp --trace /none/trace.json
finish
