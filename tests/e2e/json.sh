#!/bin/sh
# What --json prints, for programs: exactly the keys of the issue, of the right types, and nothing else on stdout.
. tests/support/e2e.sh
have jq || { skip "jq is not here"; finish; }
d=$scratch/d
mkdir -p "$d/data/0" "$d/data/3"
cp examples/pictures/airplane.jpg "$d/data/0/a.jpg"
cp examples/pictures/cat.jpg examples/pictures/dog.jpg "$d/data/3"
resnet="examples/resnet20.net --weights examples/weights/resnet20.th"

# holds TEXT FILTER ARGUMENT...: the filter gives true for what netc prints
holds() {
    what=$1 filter=$2
    shift 2
    if "$NETC_SAN" "$@" --json >"$scratch/out" 2>"$scratch/err" && [ "$(jq "$filter" "$scratch/out" 2>>"$scratch/err")" = true ]; then
        ok "$what"
    else
        head -c 1500 "$scratch/out" >>"$scratch/err"
        not_ok "$what" "$scratch/err"
    fi
}

holds "show: keys" 'keys == ["layers","multiply_adds","net","packed_bytes","parameters","workspace_bytes"]' show examples/lenet5.net
holds "show: keys of a layer" 'all(.layers[]; keys == ["multiply_adds","name","neurons","op","output","parameters","receptive_field"])' \
    show examples/lenet5.net
holds "show: values" '.net == "lenet5" and .parameters == 61706 and .workspace_bytes > 0 and .packed_bytes >= 246824 and
    ([.layers[].parameters] | add) == .parameters and ([.layers[].multiply_adds] | add) == .multiply_adds' show examples/lenet5.net
holds "show: a layer's values" '[.layers[] | select(.op == "conv")][0] |
    .output == [6,28,28] and .neurons == 4704 and .parameters == 156 and .multiply_adds == 117600 and .receptive_field == 5' \
    show examples/lenet5.net
holds "show: the paper's neurons of AlexNet" '[.layers[] | select(.op == "conv" or .op == "linear" or .op == "input") | .neurons] ==
    [154587,290400,186624,64896,64896,43264,4096,4096,1000]' show examples/alexnet2012.net
# shellcheck disable=SC2086
holds "run: keys, numbers, classes" 'keys == ["outputs","top"] and (.outputs | keys) == ["logits"] and (.outputs.logits | length) == 10 and
    (.top | length) == 3 and all(.top[]; keys == ["class","name","p"]) and .top[0].class == 3 and .top[0].name == "cat" and
    .top[0].p > 0.9 and .top[0].p <= 1 and .top[0].p >= .top[1].p' run $resnet --input examples/pictures/cat.jpg --top 3
# shellcheck disable=SC2086
holds "run: the same from the interpreter" '.top[0].name == "cat"' run $resnet --input examples/pictures/cat.jpg --backend interp
want=$(sed -n 's/^cat.jpg //p' tests/goldens/demo.txt | tr ' ' ',')
# shellcheck disable=SC2086
holds "run: PyTorch's logits" "([.outputs.logits, [$want]] | transpose | map((.[0] - .[1]) | fabs) | max) < 1e-3" \
    run $resnet --input examples/pictures/cat.jpg
# shellcheck disable=SC2086
holds "run: several samples" '(.outputs.logits | length) == 2 and (.top | length) == 2 and .top[0][0].name == "cat" and
    .top[1][0].name == "dog"' run $resnet --input examples/pictures/cat.jpg --input examples/pictures/dog.jpg
holds "run: no classes" '.top == [] and (.outputs | keys) == ["sequence"]' run examples/rnn_1_to_n.net --seed 1 --input random:1
# shellcheck disable=SC2086
holds "eval: keys" 'keys == ["correct","images","images_per_second","loss","top1","top5"]' eval $resnet --data "$d/data"
jq -c . "$scratch/out" | sed 's/^/# /'
holds "eval: the first and fourth class of a folder of two are 0 and 1" '.images == 3' eval examples/resnet20.net --seed 1 --data "$d/data"

# ---- .npy out and in ----

there_and_back() {
    "$NETC_SAN" run examples/lenet5.net --seed 3 --input random:5 --batch 2 --output "$d/y.npy" --json >"$d/a.json" &&
        "$NETC_SAN" run examples/lenet5.net --seed 3 --input random:5 --batch 2 --output logits="$d/z.npy" --json >"$d/b.json" &&
        cmp "$d/y.npy" "$d/z.npy" && cmp "$d/a.json" "$d/b.json" || return 1
    # what lies in the array are the numbers that were printed: 80 bytes of float at the end
    tail -c 80 "$d/y.npy" | od -An -v -tfF | tr -s ' \n' '\n\n' | grep . >"$d/array"
    jq '.outputs.logits[][]' "$d/a.json" >"$d/printed"
    agree "$d/array" "$d/printed" 1e-6
}
check "run --output writes the numbers that are printed, the same for the same seeds" there_and_back
other_seed() {
    "$NETC_SAN" run examples/lenet5.net --seed 4 --input random:5 --batch 2 --output "$d/z.npy" >/dev/null && ! cmp -s "$d/y.npy" "$d/z.npy"
}
check "... other numbers for another seed" other_seed
# an output that is another net's input
chained() {
    printf 'net twice {\n    input x[10]\n    output y = x * 2\n}\n' >"$d/twice.net"
    "$NETC_SAN" run "$d/twice.net" --input "$d/y.npy" --output "$d/w.npy" --backend interp >/dev/null || return 1
    tail -c 80 "$d/w.npy" | od -An -v -tfF | tr -s ' \n' '\n\n' | grep . >"$d/doubled"
    awk '{ printf "%.9g\n", 2 * $1 }' "$d/array" >"$d/expected"
    agree "$d/expected" "$d/doubled" 1e-6
}
check "what was written is read" chained

finish
