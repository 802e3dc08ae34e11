#!/bin/sh
# netc verify: backends held against each other, layer by layer, and what is said where they differ.
. tests/support/e2e.sh

agrees() { "$NETC" verify "$@" >"$scratch/out" 2>&1 && grep -q 'agree on [1-9][0-9]* layers' "$scratch/out" || { cat "$scratch/out"; return 1; }; }
for net in lenet5 resnet20 row_lstm char_rnn tagger rnn_n_to_m lenet5_rbf; do
    check "$net: the first backend and the interpreter" agrees examples/$net.net --batch 2
done
check "resnet20: C and the interpreter" agrees examples/resnet20.net --backend c,interp --batch 2
check "resnet20 with real weights on a picture" agrees examples/resnet20.net --weights examples/weights/resnet20.th \
    --input examples/pictures/cat.jpg
check "... without the optional passes" agrees examples/resnet20.net --seed 3 --passes=-fuse,-fold-bn,-cse
check "under the sanitizers" sh -c "'$NETC_SAN' verify examples/lenet5.net | grep -q 'agree on 12 layers'"

error_of() { "$NETC" verify "$@" --error >"$scratch/out" 2>&1 && grep -q 'float64' "$scratch/out" || { cat "$scratch/out"; return 1; }; }
for net in lenet5 resnet20 row_lstm; do check "$net is within 1e-4 of float64" error_of examples/$net.net; done
check "resnet20, real weights: within 1e-6 of float64" error_of examples/resnet20.net --weights examples/weights/resnet20.th \
    --input examples/pictures/dog.jpg --tolerance 1e-6

json() { "$NETC" verify examples/lenet5.net --json >"$scratch/out.json" || return 1
    jq -e '.net == "lenet5" and .agree and (.layers | length) == 12 and .layers[0].name == "conv1" and .layers[0].op == "conv"
        and .layers[0].line == 9 and (.layers | map(.apart) | max) < 1e-5 and .outputs[0].name == "logits"' "$scratch/out.json"; }
check "--json has every layer" json

# said CODE TEXT ARGUMENT...
said() {
    code=$1 text=$2
    shift 2
    "$NETC_SAN" verify "$@" >"$scratch/out" 2>"$scratch/err"
    status=$?
    cat "$scratch/err"
    [ $status = "$code" ] && grep -q -e "$text" "$scratch/err"
}
check "nothing is equal to the last bit: the first layer is named with its line" said 1 \
    "^examples/lenet5.net:9:18: error: layer 'conv1' (conv) differs by .* of its largest value" examples/lenet5.net --backend interp,c --tolerance 0
check "... and its text" grep -q '    9 |     x = image -> conv1: conv(6, 5)' "$scratch/err"
check "... on standard error alone" sh -c "! [ -s '$scratch/out' ]"
check "an output against float64" said 1 "error: output 'logits' differs by .*float64 .*; allowed is 1e-12" examples/lenet5.net --error --tolerance 1e-12
check "a backend against itself" said 2 "interp is held against itself" examples/lenet5.net --backend interp
check "two backends against float64" said 2 "\-\-error holds one backend" examples/lenet5.net --backend interp,c --error
check "an unknown backend" said 2 "no backend 'gpu'" examples/lenet5.net --backend interp,gpu
check "a negative tolerance" said 2 "0 or more" examples/lenet5.net --tolerance -1
check "a folder" said 1 "ONNX" examples
finish
