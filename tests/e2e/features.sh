#!/bin/sh
# What one can see of a net: maps of its layers, inner values, weights for others, text that it writes, charts of runs,
# its layers through graphviz.
. tests/support/e2e.sh
d=$scratch/d
mkdir "$d"
out=$scratch/out err=$scratch/err
PYTHON=${NETC_PYTHON:-python3}
resnet="examples/resnet20.net --weights examples/weights/resnet20.th"
cat=examples/pictures/cat.jpg

# netc ARGUMENT...: $status, $out, $err
netc() {
    "$NETC_SAN" "$@" >"$out" 2>"$err" </dev/null
    status=$?
}
# done_ TEXT: the last netc exited with 0
done_() {
    if [ $status = 0 ]; then ok "$1"; else not_ok "$1: exit $status" "$err"; fi
}
# refused TEXT CODE PATTERN ARGUMENT...
refused() {
    what=$1 code=$2 pattern=$3
    shift 3
    netc "$@"
    if [ $status = "$code" ] && [ ! -s "$out" ] && grep -q "error:.*$pattern" "$err"; then
        ok "$what"
    else
        not_ok "$what: exit $status, or no error says '$pattern'" "$err"
    fi
}
# size_is TEXT FILE WIDTH HEIGHT: of a PNG
size_is() {
    size=$(od -An -tu1 -j16 -N8 "$2" | awk '{ print ($1 * 256 + $2) * 65536 + $3 * 256 + $4, ($5 * 256 + $6) * 65536 + $7 * 256 + $8 }')
    if [ "$(od -An -c -j1 -N3 "$2" | tr -d ' ')" = PNG ] && [ "$size" = "$3 $4" ]; then ok "$1"; else not_ok "$1: $size"; fi
}
same() {
    if cmp -s "$2" "$3"; then ok "$1"; else not_ok "$1"; fi
}
# shape_is TEXT FILE SHAPE: of a .npy
shape_is() {
    if head -c 128 "$2" | grep -a -q -F "$3"; then ok "$1"; else not_ok "$1: $(head -c 128 "$2" | tr -cd ' -~')"; fi
}

# ---- inner values ----

netc run $resnet $cat --backend interp --layer layer1.0.conv1 --layer linear --output "$d/conv.npy" --output linear="$d/fc.npy" \
    --output logits="$d/logits.npy"
done_ "run --layer"
shape_is "a layer's value has its shape" "$d/conv.npy" "(1, 16, 32, 32)"
same "the last layer's value is the output's" "$d/fc.npy" "$d/logits.npy"
check "... and both are printed" grep -q '^layer1.0.conv1 \[1,16,32,32\]  least -' "$out"
netc run $resnet $cat --backend interp --layer layer1.0.conv1 --output "$d/plain.npy" --passes=-fuse,-fold-bn
shape_is "without fusion" "$d/plain.npy" "(1, 16, 32, 32)"
floats() {
    od -An -v -tf4 -w4 -j128 "$1"
}
floats "$d/conv.npy" >"$d/fused.txt"
floats "$d/plain.npy" >"$d/plain.txt"
check "fusion and folding do not change what a layer gives" agree "$d/plain.txt" "$d/fused.txt" 1e-5
check "... which relu would have cut" awk '$1 < 0 { found = 1 } END { exit !found }' "$d/fused.txt"
refused "a layer that is not there" 1 "did you mean 'layer1.0.conv1'" run $resnet $cat --layer layer1.0.conv3

# ---- maps ----

netc features $resnet --input $cat --backend interp -o "$d/maps.png"
if grep -q 'without Cairo' "$err"; then
    skip "maps: this netc was built without Cairo"
else
    done_ "features"
    # 16 maps of 32x32 in 4 rows of 4, four pixels a number
    size_is "the first convolution's maps as a grid" "$d/maps.png" $((24 + 4 * 128 + 3 * 6)) $((24 + 24 + 4 * (128 + 6)))
    netc features examples/features_lenet.net --seed 1 --input random:1 --backend interp -o "$d/lenet.png"
    # 20 of 32 maps of 24x24, then of 12x12
    size_is "by itself, the maps and what pooling leaves: 4 rows of 5 each" "$d/lenet.png" \
        $((24 + 5 * 144 + 4 * 6)) $((24 + 2 * (24 + 4 * (144 + 6))))
    netc features examples/features_lenet.net --seed 1 --input random:1 --backend interp --layer conv1 --maps 32 -o "$d/all.svg"
    check "SVG by suffix" grep -q '<svg' "$d/all.svg"
    netc features examples/row_lstm.net --seed 1 --input random:1 --backend interp -o "$d/lstm.png"
    size_is "a recurrent layer's output: time down, features across" "$d/lstm.png" $((24 + 18 + 500)) $((24 + 24 + 140 + 6 + 18))
    {
        printf '\223NUMPY\001\000\166\000'
        printf '%-117s\n' "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 28, 28), }"
        head -c 6272 /dev/zero
    } >"$d/two.npy"
    refused "two samples" 1 "one sample" features examples/row_lstm.net --seed 1 "$d/two.npy" -o "$d/x.png"
    refused "a picture of another kind" 2 ".png or .svg" features $resnet --input $cat -o "$d/maps.gif"
    refused "no picture" 2 "say what to write" features $resnet --input $cat
    refused "a folder that is not there" 1 "cannot create" features $resnet --input $cat --backend interp -o "$d/no/maps.png"

    # ---- charts ----

    mkdir -p "$d/runs/relu4-1" "$d/runs/tanh4-1"
    for run in relu4-1:4 tanh4-1:9; do
        {
            echo epoch,step,train_loss,train_accuracy,test_loss,test_accuracy
            for k in 1 2 3 4 5 6 7 8 9 10; do
                echo "$k,$((391 * k)),1,$(awk "BEGIN { print $k < ${run#*:} ? 0.5 : 0.8 }"),,"
            done
        } >"$d/runs/${run%:*}/results.csv"
    done
    netc plot "$d/runs/relu4-1" "$d/runs/tanh4-1/results.csv" --goal 25 -o "$d/chart.png"
    done_ "plot"
    size_is "one chart" "$d/chart.png" 2250 1170
    printf 'relu4-1  step 1564\ntanh4-1  step 3519\n' >"$d/want"
    same "the steps at which each run reaches the goal" "$out" "$d/want"
    refused "a column that is not there" 1 "did you mean 'train_loss'" plot "$d/runs/relu4-1" --y train_los -o "$d/x.png"
    refused "a folder of no run" 1 "results.csv" plot "$d" -o "$d/x.png"
fi

# ---- weights for others ----

netc run $resnet $cat --backend interp --output "$d/logits.npy"
for kind in pt npz safetensors; do
    netc export $resnet -o "$d/w.$kind"
    done_ "export to .$kind"
    netc run examples/resnet20.net --weights "$d/w.$kind" $cat --backend interp --output "$d/$kind.npy"
    same "... and netc reads it: the same logits, bit for bit" "$d/$kind.npy" "$d/logits.npy"
done
refused "a kind that netc does not write" 2 ".safetensors" export $resnet -o "$d/w.onnx"
if $PYTHON -c 'import torch' 2>/dev/null; then
    cat >"$d/compare.py" <<'END'
import sys
import numpy, torch
folder, source = sys.argv[1:]
want = torch.load(source, map_location="cpu", weights_only=False)
want = {k[7:]: v for k, v in want.get("state_dict", want).items() if not k.endswith("num_batches_tracked")}
got = torch.load(folder + "/w.pt", weights_only=True)
npz = numpy.load(folder + "/w.npz")
assert list(got) == [k for k in got if k in want] and len(got) == len(want) == len(npz.files)
for k, v in want.items():
    assert got[k].dtype == v.dtype and torch.equal(got[k], v) and numpy.array_equal(npz[k], v.numpy()), k
END
    check "torch.load with weights_only=True, and numpy, read what was exported" $PYTHON "$d/compare.py" "$d" \
        examples/weights/resnet20.th
else
    skip "torch.load of what was exported: $PYTHON has no torch"
fi

# ---- text ----

generate="run examples/char_rnn.net -D length=1 --seed 1 --backend interp --prompt Hello --generate"
netc $generate 50 --seed-text 3
done_ "run --generate"
cp "$out" "$d/first"
check "the prompt, then as many characters" awk 'BEGIN { RS = "\001" } { exit !(/^Hello/ && length($0) == 56) }' "$out"
netc $generate 50 --seed-text 3
same "the same seed, the same text" "$out" "$d/first"
netc $generate 50 --seed-text 4
if cmp -s "$out" "$d/first"; then not_ok "another seed, another text"; else ok "another seed, another text"; fi
netc $generate 20 --temperature 0 --seed-text 1
cp "$out" "$d/first"
netc $generate 20 --temperature 0 --seed-text 2
same "no temperature, no chance" "$out" "$d/first"
refused "a net that reads more than a character" 1 "-D length=1" run examples/char_rnn.net --seed 1 --generate 5
refused "a net of pictures" 1 "must be characters" run $resnet --backend interp --generate 5
refused "--prompt alone" 2 "belong to --generate" run examples/char_rnn.net --seed 1 --prompt Hello

# ---- layers through graphviz ----

netc show examples/resnet20.net --draw "$d/net.dot"
done_ "show --draw of DOT text"
check "a shortcut is a sum of two" awk '/label="add\\n16x32x32"/ { split($1, n, " "); add = n[1] }
    add && $2 == "->" && $3 == add ";" { edges++ } END { exit !(add && edges == 2) }' "$d/net.dot"
if have dot; then
    netc show examples/resnet20.net --draw "$d/net.svg"
    done_ "... and of SVG by graphviz"
    check "every layer is in it" grep -q 'layer3.2.conv2' "$d/net.svg"
else
    refused "... SVG says that graphviz is missing" 1 "install graphviz" show examples/resnet20.net --draw "$d/net.svg"
fi
refused "a picture of another kind" 2 ".dot, .svg" show examples/resnet20.net --draw "$d/net.bmp"
finish
