#!/bin/sh
# What `make demo` runs: a line a picture, with its file name, the right guess and the confidence in percent.
. tests/support/e2e.sh

# demo OPTION...: the command of the Makefile
demo() {
    # shellcheck disable=SC2046
    "$NETC" run examples/resnet20.net --weights examples/weights/resnet20.th --top 1 "$@" \
        $(for picture in examples/pictures/*; do printf -- '--input %s ' "$picture"; done)
}
# Every picture is named after what it shows; softmax of PyTorch's logits (demo.txt) is what must be printed.
as_pytorch() {
    demo "$@" >"$scratch/out" || return 1
    awk '{ for (i = 2; i <= NF; i++) if (i == 2 || $i > most) { most = $i; at = i }
           sum = 0; for (i = 2; i <= NF; i++) sum += exp($i - most)
           name = $1; sub(/\..*/, "", name); printf "%s %s %.2f\n", $1, name, 100 / sum }' tests/goldens/demo.txt >"$scratch/pytorch"
    awk '$4 != "%" || NF != 4 { print "not as wanted: " $0 > "/dev/stderr" } { print $1, $2, $3 }' "$scratch/out" >"$scratch/netc"
    paste -d ' ' "$scratch/pytorch" "$scratch/netc" | awk '
        { far = $3 - $6; if ($1 != $4 || far > 0.02 || far < -0.02) { print; wrong++ } if ($2 != $5) { print "guess: " $0; other++ } }
        END { exit wrong || other || NR != 10 }'
}
check "ten pictures, ten lines: PyTorch's classes and confidences" as_pytorch
sed 's/^/# /' "$scratch/out"
check "... with the interpreter" as_pytorch --backend interp
digits() {
    # shellcheck disable=SC2046
    "$NETC" run examples/mnist.net --weights examples/weights/mnist.safetensors --top 1 \
        $(for picture in examples/digits/*; do printf -- '--input %s ' "$picture"; done) >"$scratch/digits" || return 1
    awk '{ split($1, name, "."); if (name[1] != $2) { print "guess: " $0; wrong++ } } END { exit wrong || NR != 10 }' "$scratch/digits"
}
check "ten digits, ten right guesses" digits
makefile() {
    make -n demo >"$scratch/make" 2>&1
    grep -q 'run examples/resnet20.net --weights examples/weights/resnet20.th --top 1' "$scratch/make" &&
        grep -q 'run examples/mnist.net --weights examples/weights/mnist.safetensors --top 1' "$scratch/make"
}
check "make demo runs this" makefile

finish
