#!/bin/sh
# Every refusal: a line with "error:", the right exit code, soon, with nothing executed, allocated by a file's say-so
# or overwritten. The program with sanitizers takes each; the plain one shows that it takes under a second.
. tests/support/e2e.sh
d=$scratch/d
mkdir "$d"
weights=examples/weights/resnet20.th
resnet=examples/resnet20.net

# refused CODE TEXT PATTERN ARGUMENT...: the exit code, "error:" and the pattern (extended) on stderr, nothing on stdout;
# the plain program gives the same code with a second of the processor and a gigabyte
refused() {
    code=$1 what=$2 pattern=$3
    shift 3
    "$NETC_SAN" "$@" >"$scratch/out" 2>"$scratch/err" </dev/null
    got=$?
    (ulimit -t 1 && ulimit -v 1000000 && exec "$NETC" "$@") >/dev/null 2>&1 </dev/null
    soon=$?
    [ $got -eq "$code" ] || echo "exit $got, expected $code" >>"$scratch/err"
    [ $soon -eq "$code" ] || echo "exit $soon within a second and a gigabyte" >>"$scratch/err"
    [ ! -s "$scratch/out" ] || echo "something was written to standard output" >>"$scratch/err"
    if [ $got -eq "$code" ] && [ $soon -eq "$code" ] && [ ! -s "$scratch/out" ] &&
        grep -q 'error:' "$scratch/err" && grep -q -E -e "$pattern" "$scratch/err"; then
        ok "$what"
    else
        not_ok "$what (it must say '$pattern')" "$scratch/err"
    fi
}

# bad_net TEXT PATTERN: the text in t.net is refused at a line and column, with a caret and the pattern
t=$d/t.net
bad_net() {
    refused 1 "$1" "t\.net:[0-9]+:[0-9]+: error: .*" show "$t"
    if ! grep -q -E -e "$2" "$scratch/err" || ! grep -q '^ *| *^' "$scratch/err"; then
        not_ok "$1: says '$2', with a caret" "$scratch/err"
    fi
}

# ---- texts ----

printf 'block a(x) {\n    return b(x)\n}\nblock b(x) {\n    return a(x)\n}\nnet m {\n    input x[3]\n    output y = a(x)\n}\n' >"$t"
bad_net "a recursive block" "calls itself"
printf 'net m {\n    input x[3]\n    for i in 0 .. 1000000 {\n        x = relu(x)\n    }\n    output y = x\n}\n' >"$t"
bad_net "a net of 10^6 nodes" "more than [0-9]+ operations"
{
    echo 'block d0(x) { return relu(x) }'
    for i in $(seq 1 40); do echo "block d$i(x) { return d$((i - 1))(d$((i - 1))(x)) }"; done
    printf 'net m {\n    input x[3]\n    output y = d40(x)\n}\n'
} >"$t"
bad_net "a net of 2^40 nodes" "more than|too deep|deeper"
printf 'net m {\n    input x[3]\n    for i in 0 .. 1000000000000 {\n    }\n    output y = x\n}\n' >"$t"
bad_net "a loop of 10^12 turns" "error: "
printf 'net m {\n    input x[9223372036854775808]\n    output y = x\n}\n' >"$t"
bad_net "a size of 2^63" "too large"
printf 'net m {\n    input x[4294967296, 4294967296]\n    output y = x\n}\n' >"$t"
bad_net "a tensor of 2^64 numbers" "too large"
printf 'net m {\n    input x[3, 8, 8]\n    output y = x -> conv(1000000000, 1000000)\n}\n' >"$t"
bad_net "weights of 10^21 numbers" "too large|does not fit|larger"
printf 'net m {\n    input x[3]\n    output y = %s x\n}\n' "$(printf '%0100000d' 0 | tr 0 '(')" >"$t"
bad_net "100,000 open brackets" "deep"
printf 'net m {\n    input x[3]\n    output y = x%s\n}\n' "$(printf '%0100000d' 0 | sed 's/0/ -> relu/g')" >"$t"
bad_net "a pipe of 100,000 ops in an expression" "deep|more than [0-9]+ operations"
printf 'net m {\n    input x[3]\n%s\n' "$(printf '%050000d' 0 | sed 's/0/if 1 == 1 {/g')" >"$t"
bad_net "50,000 open blocks" "deep"
printf 'net m {\n    input x[3, 8, 8]\n    output y = x -> convv(4, 3)\n}\n' >"$t"
bad_net "an unknown op" "did you mean 'conv'"
printf 'net m {\n    input image[3, 8, 8]\n    output y = imag -> flatten\n}\n' >"$t"
bad_net "an unknown name" "did you mean 'image'"
printf 'net m {\n    input x[3, 8, 8]\n    output y = x -> conv(4, 3, strid = 2)\n}\n' >"$t"
bad_net "an unknown attribute" "did you mean 'stride'"
printf 'net m {\n    input x[3, 8, 8]\n    output y = x -> conv(4, 11)\n}\n' >"$t"
bad_net "a kernel larger than its picture" "11"
cat >"$t" <<'END'
block inner(x, n) {
    return x + (x -> conv(n, 3))
}
block outer(x) {
    return x -> inner(8)
}
net m {
    input x[3, 8, 8]
    output y = x -> outer
}
END
bad_net "a shape error names both operands" "3,8,8.*8,6,6|8,6,6.*3,8,8"
refused 1 "... and the chain of blocks" "note: .*outer" show "$t"
printf 'net m {\n    input x[3, 8, 8]\n    a = x -> convv(1, 1)\n    b = x -> reluu\n    output y = z\n}\n' >"$t"
bad_net "three mistakes" "convv"
if [ "$(grep -c ' error: ' "$scratch/err")" = 3 ]; then ok "three mistakes are told in one go"; else not_ok "three mistakes are told in one go" "$scratch/err"; fi
printf 'net m(classes = 10) {\n    input x[3]\n    output y = x -> linear(classes)\n}\n' >"$d/args.net"
refused 1 "-D of an argument that the net has not" "did you mean 'classes'" show "$d/args.net" -D clases=3
refused 1 "-D of something that is no number" "error: " show "$d/args.net" -D 'classes=$(touch netc-was-here)'

head -c 100000 "$weights" >"$t"
refused 1 "a file that is not text" "not a text" show "$t"
: >"$t"
refused 1 "an empty file" "error: .*t\.net" show "$t"
head -c 5000000 /dev/zero | tr '\0' '#' >"$t"
refused 1 "a text of 5 MB" "larger|large|bytes" show "$t"
printf 'net m {\n    input x\377[3]\n    output y = x\n}\n' >"$t"
refused 1 "a text that is not UTF-8" "error: " show "$t"
refused 1 "a folder in place of a text" "folder" show "$d"
refused 1 "a device in place of a text" "error: .*" show /dev/zero
mkfifo "$d/fifo.net"
refused 1 "a pipe that nobody writes to" "error: .*" show "$d/fifo.net"
refused 1 "a file that is not there" "nothere.net" show "$d/nothere.net"
refused 1 "use of a file outside the text's folder" "error: " show /dev/stdin
printf 'use "/etc/passwd"\nnet m {\n    input x[3]\n    output y = x\n}\n' >"$t"
refused 1 "use of an absolute path" "t\.net:1:[0-9]+: error: " show "$t"
printf 'use "../../x.net"\nnet m {\n    input x[3]\n    output y = x\n}\n' >"$t"
refused 1 "use of a path upwards" "t\.net:1:[0-9]+: error: " show "$t"

# ---- weights ----

# little TEXT: its length as 8 bytes
little() {
    printf "\\$(printf %03o $((${#1} % 256)))\\$(printf %03o $((${#1} / 256)))\\0\\0\\0\\0\\0\\0"
}
# safetensors HEADER BYTES
safetensors() {
    little "$1"
    printf '%s' "$1"
    head -c "$2" /dev/zero
}
printf 'net tiny {\n    input x[2]\n    output y = x -> fc: linear(3)\n}\n' >"$d/tiny.net"
weight='"fc.weight":{"dtype":"F32","shape":[3,2],"data_offsets":[0,24]}' bias='"fc.bias":{"dtype":"F32","shape":[3],"data_offsets":[24,36]}'
safetensors "{$weight,$bias}" 36 >"$d/good.safetensors"
check "weights as they should be are taken" "$NETC_SAN" run "$d/tiny.net" --weights "$d/good.safetensors" --input random:1 --backend interp

# bad_weights TEXT PATTERN [FILE]: weights of tiny.net are refused; the compiler would fail, were it called
w=$d/w.safetensors pt=$d/w.pt
bad_weights() {
    CC=false refused 1 "$1" "$2" run "$d/tiny.net" --weights "${3:-$w}" --input random:1 --backend c
    if grep -q compiler "$scratch/err"; then not_ok "$1: told before anything is compiled" "$scratch/err"; fi
}
safetensors "{$weight,$bias}" 35 >"$w"
bad_weights "a byte is missing" "w\.safetensors"
safetensors "{$weight,$bias}" 37 >"$w"
bad_weights "a byte too many" "w\.safetensors"
safetensors "{$weight}" 24 >"$w"
bad_weights "a tensor is missing" "fc\.bias"
safetensors "{$weight,$bias,\"more\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[36,40]}}" 40 >"$w"
bad_weights "an extra tensor" "more"
safetensors '{"fc.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"x":{"dtype":"F32","shape":[3],"data_offsets":[24,36]}}' 36 >"$w"
bad_weights "the wrong net" "fc\.weight.*2,3|2,3.*3,2"
for name in fc.weight fc.bias "'x'|\"x\"| x"; do
    grep -q -E -e "$name" "$scratch/err" || not_ok "the wrong net: all is listed at once, $name too" "$scratch/err"
done
safetensors "{\"fc.weight\":{\"dtype\":\"F32\",\"shape\":[3,2],\"data_offsets\":[0,1000000024]},$bias}" 36 >"$w"
bad_weights "an offset past the end" "w\.safetensors"
safetensors "{\"fc.weight\":{\"dtype\":\"F32\",\"shape\":[3,2],\"data_offsets\":[12,36]},$bias}" 36 >"$w"
bad_weights "tensors that overlap" "w\.safetensors"
safetensors "{\"fc.weight\":{\"dtype\":\"F32\",\"shape\":[3,2],\"data_offsets\":[24,0]},$bias}" 36 >"$w"
bad_weights "an end before its begin" "w\.safetensors"
safetensors "{\"fc.weight\":{\"dtype\":\"F32\",\"shape\":[3,2],\"data_offsets\":[-24,0]},$bias}" 36 >"$w"
bad_weights "a negative offset" "w\.safetensors"
safetensors "{\"fc.weight\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,6],\"data_offsets\":[0,24]},$bias}" 36 >"$w"
bad_weights "a size of 2^62 x 6" "w\.safetensors"
safetensors "{$weight,$bias,$weight}" 36 >"$w"
bad_weights "a name twice" "fc\.weight|twice|duplicate"
safetensors "$(printf '%020000d' 0 | tr 0 '[')" 0 >"$w"
bad_weights "20,000 open brackets" "w\.safetensors"
{ printf '\377\377\377\377\377\377\377\177'; printf '{}'; } >"$w"
bad_weights "a header of 2^63 bytes" "w\.safetensors"
{ printf '\0\0\0\0\001\0\0\0'; printf '{}'; } >"$w"
bad_weights "a header of 4 GB" "w\.safetensors"
printf '' >"$w"
bad_weights "an empty file" "w\.safetensors"
head -c 3000 /dev/zero >"$w"
bad_weights "zeros" "w\.safetensors"
cp examples/pictures/cat.jpg "$w"
bad_weights "a picture" "w\.safetensors"
cp "$d/tiny.net" "$pt"
bad_weights "the text of the net" "w\.pt" "$pt"
for bytes in 1 100 1000 100000 1099230; do
    head -c $bytes "$weights" >"$d/cut.th"
    refused 1 "$weights, cut after $bytes bytes" "cut\.th" run "$resnet" --weights "$d/cut.th" --input random:1
done
refused 1 "weights of another net" "examples/weights/resnet20\.th" eval examples/resnet32.net --weights "$weights" --data "$d"
head -c 60 tests/data/runtime/tiny_zip.pt >"$pt"
bad_weights "a zip without its end" "w\.pt" "$pt"
refused 1 "weights that are not there" "nothere" -o "$d/x.c" "$resnet" --weights "$d/nothere.th"
refused 1 "a folder in place of weights" "folder" -o "$d/x.c" "$resnet" --weights "$d"
refused 1 "a device in place of weights" "error:" -o "$d/x.c" "$resnet" --weights /dev/zero
refused 1 "a pipe in place of weights" "error:" -o "$d/x.c" "$resnet" --weights "$d/fifo.net"
if [ -e "$d/x.c" ] || [ -e "$d/x.h" ]; then not_ok "nothing is written where the weights are refused"; else ok "nothing is written where the weights are refused"; fi

# Pickles that call: from the folder in which they would leave a file.
root=$(pwd)
case $NETC_SAN in /*) program=$NETC_SAN ;; *) program=$root/$NETC_SAN ;; esac
mkdir "$d/away"
for evil in evil_0.pkl evil_1.pkl evil_2.pkl evil_4.pkl evil_old.pt evil_zip.pt; do
    cp "tests/data/runtime/$evil" "$d/away/w.pt"
    says_why() {
        (cd "$d/away" && "$program" run ../tiny.net --weights w.pt --input random:1) >"$scratch/out" 2>"$scratch/err"
        [ $? = 1 ] && grep -q 'error: .*w\.pt' "$scratch/err" && [ ! -s "$scratch/out" ] || { cat "$scratch/err"; return 1; }
    }
    check "a pickle that calls ($evil) is refused" says_why
done
if grep -q -E 'posix|system' "$scratch/err"; then ok "... and it is said what it wants to call"; else not_ok "... and it is said what it wants to call" "$scratch/err"; fi
printf '\200\002\212\012l\374\234F\371 j\250P\031.\200\002M\351\003.\200\002}.cos\nsystem\n(S"touch netc-was-here"\ntR.' >"$d/away/w.pt"
check "a PyTorch file whose state dict is a call is refused" says_why
if find "$d/away" . -maxdepth 1 -name netc-was-here | grep -q .; then not_ok "nothing was executed"; else ok "nothing was executed"; fi

# ---- inputs and data ----

refused 1 "an array of another shape" "2,3" run examples/mnist.net --seed 1 --input tests/data/runtime/a_f4.npy
head -c 140 tests/data/runtime/a_f4.npy >"$d/cut.npy"
refused 1 "an array that is cut" "cut\.npy" run examples/mnist.net --seed 1 --input "$d/cut.npy"
refused 1 "an array of objects" "a_object\.npy" run examples/mnist.net --seed 1 --input tests/data/runtime/a_object.npy
head -c 500 examples/pictures/cat.jpg >"$d/cut.jpg"
refused 1 "a picture that is cut" "cut\.jpg" run "$resnet" --weights "$weights" --input "$d/cut.jpg"
refused 1 "a picture that is none" "resnet20\.th" run "$resnet" --weights "$weights" --input "$weights"
refused 1 "a picture that is not there" "nothere\.jpg" run "$resnet" --weights "$weights" --input "$d/nothere.jpg"
refused 1 "one of several pictures is not there: told before any is run" "nothere\.jpg" \
    run "$resnet" --weights "$weights" --input examples/pictures/cat.jpg --input "$d/nothere.jpg"
refused 1 "a net without pictures, given one" "cat\.jpg" run examples/char_rnn.net --seed 1 --input examples/pictures/cat.jpg
refused 1 "an input that the net has not" "error: .*imag" run "$resnet" --seed 1 --input imag=examples/pictures/cat.jpg
refused 1 "a data set that is not there" "nothere" eval "$resnet" --weights "$weights" --data "$d/nothere"
refused 1 "an empty folder as a data set" "error:" eval "$resnet" --weights "$weights" --data "$d/away"
CC=/nonexistent refused 1 "no compiler: said what to do" "interp|CC" run "$resnet" --backend c --weights "$weights" --input random:1
CC=false refused 1 "a compiler that fails" "compiler" run "$resnet" --backend c --weights "$weights" --input random:1

# ---- misuse ----

refused 2 "an unknown option" "did you mean.*--weights" run "$resnet" --weihgts "$weights"
refused 2 "an unknown command" "did you mean.*eval" evla "$resnet"
refused 2 "an option without its value" "weights" run "$resnet" --weights
refused 2 "an option of another command" "error: .*data" run "$resnet" --data "$d"
refused 2 "no net" "FILE\.net" run
refused 2 "no output" "-o" "$resnet"
refused 2 "an output of unknown kind" "\.c" "$resnet" -o "$d/x.exe"
refused 2 "a batch of none" "batch" "$resnet" --batch 0 -o "$d/x.c"
refused 2 "a batch that is no number" "batch" "$resnet" --batch many -o "$d/x.c"
refused 2 "a batch of 10^20" "batch" "$resnet" --batch 100000000000000000000 -o "$d/x.c"
refused 2 "an unknown target" "avx512" "$resnet" --target avx521 -o "$d/x.c"
refused 2 "an unknown backend" "interp" run "$resnet" --weights "$weights" --input random:1 --backend intrep
refused 2 "weights and a seed" "seed" run "$resnet" --weights "$weights" --seed 1 --input random:1
refused 2 "no weights" "--weights" run "$resnet" --input random:1
refused 2 "no data set" "--data" eval "$resnet" --weights "$weights"
refused 1 "an unknown pass" "did you mean|fold-bn" "$resnet" --passes=-fold-nb -o "$d/x.c"
refused 1 "a pass that cannot be left out" "lower" "$resnet" --passes=-lower -o "$d/x.c"
refused 1 "a prefix that is no name in C" "error:" "$resnet" --prefix 9-x -o "$d/x.c"

# ---- output ----

# unchanged TEXT FILE: still what `echo old` left, and no file was left beside it
unchanged() {
    if [ "$(cat "$2")" = old ] && [ -z "$(find "$(dirname "$2")" -maxdepth 1 -name '.netc-*')" ]; then ok "$1"; else not_ok "$1" "$2"; fi
}
mkdir "$d/o"
echo old >"$d/o/x.c"
(trap '' XFSZ && ulimit -f 8 && exec "$NETC_SAN" "$resnet" -o "$d/o/x.c") >"$scratch/out" 2>"$scratch/err"
if [ $? = 1 ] && grep -q 'error: .*x\.[ch]' "$scratch/err"; then ok "a file that may not grow: refused"; else not_ok "a file that may not grow: refused" "$scratch/err"; fi
unchanged "... the old file is as it was" "$d/o/x.c"
if mkdir "$d/disk" && mount -t tmpfs -o size=64k netc-test "$d/disk" 2>/dev/null; then
    echo old >"$d/disk/x.c"
    echo old >"$d/disk/x.h"
    refused 1 "a full disk" "error: .*x\.[ch].* space" "$resnet" -o "$d/disk/x.c"
    unchanged "... the old file is as it was" "$d/disk/x.c"
    unchanged "... the old header too" "$d/disk/x.h"
    refused 1 "a full disk, for weights beside the code" "error:.*space" "$resnet" --weights "$weights" --embed file -o "$d/disk/x.c"
    unchanged "... the old file is as it was" "$d/disk/x.c"
    refused 1 "a full disk, for an array" "error: .*y\.npy.* space" run "$d/tiny.net" --seed 1 --backend interp \
        --batch 20000 --input random:1 --output "$d/disk/y.npy"
    umount "$d/disk"
else
    skip "a full disk: no file system can be mounted here"
fi
refused 1 "a folder that is not there" "nothere" "$resnet" -o "$d/nothere/x.c"
refused 1 "a folder that cannot be written to" "error: .*x\.[ch]" "$resnet" -o /proc/x.c
rm -f "$d/o/x.h"
mkdir "$d/o/x.h"
refused 1 "a folder where the header goes" "x\.h.*folder" "$resnet" -o "$d/o/x.c"
unchanged "... the old file is as it was" "$d/o/x.c"
for args in "show $resnet" "show $resnet --json" "help run" "run $resnet --weights $weights --backend interp --input examples/pictures/cat.jpg"; do
    # shellcheck disable=SC2086
    "$NETC_SAN" $args >/dev/full 2>"$scratch/err"
    if [ $? = 1 ] && grep -q 'error:' "$scratch/err"; then ok "standard output is full: ${args%% *}"; else not_ok "standard output is full: $args" "$scratch/err"; fi
done
echo 'net m{input x[3] output y=x->relu}' >"$d/o/f.net"
(trap '' XFSZ && ulimit -f 0 && exec "$NETC_SAN" fmt "$d/o/f.net") 2>"$scratch/err"
if [ $? = 1 ] && grep -q '^net m{input' "$d/o/f.net"; then ok "fmt leaves a text that it cannot write"; else not_ok "fmt leaves a text that it cannot write" "$scratch/err"; fi

finish
