#!/bin/sh
# The commands as scripts use them: exit codes, what goes to which channel, JSON's keys, files, refusals.
. tests/support/e2e.sh

out=$scratch/out err=$scratch/err
# netc ARGUMENT...: runs it; $status, $out, $err
netc() {
    "$NETC_SAN" "$@" >"$out" 2>"$err" </dev/null
    status=$?
}
# expect TEXT STATUS: of the last netc
expect() {
    cat "$out" "$err" >"$scratch/both"
    if [ "$status" = "$2" ]; then ok "$1"; else not_ok "$1: exit $status, not $2" "$scratch/both"; fi
}
# says TEXT CHANNEL PATTERN: a line of the channel matches
says() {
    if grep -q -e "$3" "$2"; then ok "$1"; else not_ok "$1: no line matches '$3'" "$2"; fi
}
silent() {
    if [ -s "$2" ]; then not_ok "$1" "$2"; else ok "$1"; fi
}
# refused TEXT STATUS PATTERN ARGUMENT...: an error line that matches, nothing on standard output, no line but
# messages
refused() {
    what=$1 wanted=$2 pattern=$3
    shift 3
    netc "$@"
    if [ "$status" != "$wanted" ]; then
        not_ok "$what: exit $status, not $wanted" "$err"
    elif [ -s "$out" ]; then
        not_ok "$what: something on standard output" "$out"
    elif ! grep -q 'error:' "$err" || ! grep -q -e "$pattern" "$err"; then
        not_ok "$what: no error line, or none matches '$pattern'" "$err"
    else
        ok "$what"
    fi
}

resnet="examples/resnet20.net --weights examples/weights/resnet20.th"

# ---- help ----

netc --help
expect "--help exits with 0" 0
says "its first line is an example" "$out" '^  netc run '
silent "and nothing is said" "$err"
netc
expect "without arguments: usage" 2
silent "which goes to standard error" "$out"
netc --version
says "--version tells one" "$out" '^netc [0-9]*\.[0-9]*\.[0-9]*$'
netc help eval
says "help COMMAND" "$out" '^Usage: netc eval '
refused "an unknown command" 2 "no command 'rnu'; did you mean 'run'?" rnu
refused "an unknown command of help" 2 "no command 'xyzzy'" help xyzzy
refused "an unknown option" 2 "did you mean '--weights'?" run examples/mnist.net --weigths x
refused "no net" 2 'FILE.net is missing' show
refused "no output" 2 'say what to write' examples/mnist.net

# ---- run ----

# shellcheck disable=SC2086
netc run $resnet --top 1 --backend interp --input examples/pictures/*.jpg
expect "run: pictures" 0
if awk '{ sub(/\.jpg$/, "", $1); if ($1 != $2 || $3 !~ /^[0-9.]+$/ || $4 != "%") bad = 1 } END { exit bad || NR != 10 }' "$out"
then ok "run --top 1: a line a picture: file, right class, percent"; else not_ok "run --top 1" "$out"; fi

# shellcheck disable=SC2086
netc run $resnet --top 2 --backend interp --input examples/pictures/cat.jpg --json
expect "run --json" 0
says "one sample: flat lists" "$out" '^{"outputs": {"logits": \[[-0-9.e]*, .*\]}, "top": \[{"class": 3, "name": "cat", "p": [01]\.[0-9]*}, {"class": [0-9], "name": "[a-z]*", "p": [-0-9.e]*}\]}$'
# shellcheck disable=SC2086
netc run $resnet --top 1 --backend interp --input examples/pictures/cat.jpg --input examples/pictures/dog.jpg --json
says "two samples: lists of lists" "$out" '^{"outputs": {"logits": \[\[.*\], \[.*\]\]}, "top": \[\[{"class": 3.*}\], \[{"class": 5.*}\]\]}$'

netc run examples/mnist.net --seed 1 --input random:7 --batch 5 --backend interp --output "logits=$scratch/a.npy" --json
expect "run: five random samples, saved" 0
cp "$out" "$scratch/first"
netc run examples/mnist.net --seed 1 --input random:7 --batch 5 --backend interp --output "$scratch/b.npy" --json
check "the same seeds, the same numbers" cmp "$scratch/first" "$out"
check "--output without a name is the first output" cmp "$scratch/a.npy" "$scratch/b.npy"
check "which is [5,10]" grep -a -q "'shape': (5, 10)" "$scratch/a.npy"
netc run examples/mnist.net --seed 2 --input random:7 --batch 5 --backend interp --json
if cmp -s "$scratch/first" "$out"; then not_ok "another seed, other numbers"; else ok "another seed, other numbers"; fi
netc run examples/features_lenet.net --seed 1 --input random:7 --backend interp --output "$scratch/maps.npy" --json
says "no classes: top is empty" "$out" '"top": \[\]}$'
netc run examples/tagger.net --seed 1 --input random:7 --backend interp
says "no classes: a summary" "$out" '^tags \[1,4,3\]  least '

# The output of one net is the input of another, and bytes of a file are used as they are.
cat >"$scratch/same.net" <<'END'
net same { input x[10]  output y = x * 1 }
END
netc run "$scratch/same.net" --input "$scratch/a.npy" --output "$scratch/c.npy" --backend interp --batch 2
expect "run: an array of five samples, two at a time" 0
check "numbers go through unchanged" cmp "$scratch/a.npy" "$scratch/c.npy"

refused "no weights" 2 'needs weights: --weights FILE, or --seed 1' run examples/mnist.net --input random:1
refused "weights and seed" 2 'exclude each other' run examples/mnist.net --seed 1 --weights x
refused "no input" 1 "input 'image' has no data" run examples/mnist.net --seed 1
refused "another net's weights" 1 '5 missing, 96 extra, 1 misshapen' run examples/mnist.net --weights examples/weights/resnet20.th --input random:1
refused "a missing file" 1 'nosuch.npy: cannot open: No such file' run examples/mnist.net --seed 1 --input nosuch.npy
refused "an array of another shape" 1 "the array is \[5,10\], but input 'image' needs \[samples,1,28,28\]" run examples/mnist.net --seed 1 --input "$scratch/a.npy"
head -c 200 "$scratch/a.npy" >"$scratch/short.npy"
refused "a truncated array" 1 'the file is truncated' run "$scratch/same.net" --input "$scratch/short.npy"
refused "a text as an input" 1 'neither a .npy array nor a PNG or JPEG' run examples/mnist.net --seed 1 --input README.md
refused "an unknown input" 1 "no input 'imgae'; did you mean 'image'?" run examples/mnist.net --seed 1 --input imgae=x.npy
refused "an unknown output" 1 "no output 'logit'; did you mean 'logits'?" run examples/mnist.net --seed 1 --input random:1 --backend interp --output logit=x.npy
refused "a folder as a weight file" 1 'this is a folder' run examples/mnist.net --weights examples --input random:1
refused "an unknown backend" 2 "there are llvm, c, interp" run examples/mnist.net --seed 1 --input random:1 --backend cuda
refused "an unknown pass" 1 "did you mean 'fuse'?" run examples/mnist.net --seed 1 --input random:1 --passes=-fsue
refused "a pass that must run" 1 "cannot be left out" run examples/mnist.net --seed 1 --input random:1 --passes=-lower
refused "passes without a minus" 2 'each with a' run examples/mnist.net --seed 1 --input random:1 --passes=fuse
refused "no standard output" 1 'cannot write' run examples/mnist.net --seed 1 --input random:1 --backend interp --output /dev/full

# Weight files are checked before anything is compiled: with a compiler that would fail, the weights' error comes.
CC=/nonexistent refused "weights are looked at first" 1 'these weights do not fit' run examples/mnist.net --weights examples/weights/resnet20.th --input random:1
if have cc; then
    # shellcheck disable=SC2086
    netc run $resnet --top 1 --input examples/pictures/ship.jpg
    expect "run through the C compiler" 0
    says "the guess" "$out" '^ship.jpg  ship  '
fi
PATH=/nonexistent "$NETC_SAN" run examples/mnist.net --seed 1 --input random:1 >"$out" 2>"$err"
status=$?
expect "run without a compiler" 0
if PATH=/nonexistent "$NETC_SAN" run examples/mnist.net --seed 1 --input random:1 --backend llvm >"$out" 2>&1; then
    if grep -q 'slower interpreter' "$err"; then not_ok "LLVM takes its place" "$err"; else ok "LLVM takes its place"; fi
else
    says "and it says so" "$err" '^note: no C compiler was found, so the slower interpreter'
fi

# ---- eval ----

mkdir -p "$scratch/set/test"
for picture in examples/pictures/*.jpg; do
    class=$(basename "$picture" .jpg)
    mkdir "$scratch/set/test/$class"
    cp "$picture" "$scratch/set/test/$class/a.jpg"
done
cp examples/pictures/cat.jpg "$scratch/set/test/dog/b.jpg"
# shellcheck disable=SC2086
netc eval $resnet --data "$scratch/set" --backend interp --batch 4 --json
expect "eval on a folder of pictures" 0
says "eval --json: keys, ten of eleven right" "$out" '^{"images": 11, "correct": 10, "top1": 0.909090909, "top5": [01]\.[0-9]*, "loss": [0-9.]*, "images_per_second": [0-9.]*}$'
# Three of the classes: names count, not the order of folders.
mkdir -p "$scratch/few/ship" "$scratch/few/cat" "$scratch/few/frog"
for class in ship cat frog; do cp "examples/pictures/$class.jpg" "$scratch/few/$class/"; done
# shellcheck disable=SC2086
netc eval $resnet --data "$scratch/few" --backend interp
says "eval goes by the labels' names" "$out" '^3 images  3 correct  top1 100.00 %'
# shellcheck disable=SC2086
netc eval $resnet --data "$scratch/set" --backend interp --limit 4 --split test
says "eval --limit" "$out" '^4 images  4 correct'
cp README.md "$scratch/few/cat/x.png"
# shellcheck disable=SC2086
refused "a picture that is none" 1 'cat/x.png: ' eval $resnet --data "$scratch/few" --backend interp
# shellcheck disable=SC2086
refused "no data set" 1 'there is no such folder' eval $resnet --data "$scratch/nothing"
# shellcheck disable=SC2086
refused "no --data" 2 'on what?' eval $resnet
refused "a net that is no classifier" 1 'only classifiers' eval examples/features_lenet.net --seed 1 --data "$scratch/set"

# ---- show ----

netc show examples/lenet5.net --json
expect "show --json" 0
says "its keys" "$out" '^{"net": "lenet5", "parameters": 61706, "multiply_adds": 416520, "workspace_bytes": [0-9]*, "packed_bytes": [0-9]*, "layers": \[{"name": "image", "op": "input", "output": \[1, 32, 32\], "neurons": 1024, "parameters": 0, "multiply_adds": 0, "receptive_field": 1}, {"name": "conv1", "op": "conv", "output": \[6, 28, 28\], "neurons": 4704, "parameters": 156, "multiply_adds": 117600, "receptive_field": 5}, '
netc show examples/lenet5.net
says "show: a row a layer" "$out" '^fc1 *linear *120 *120 *48,120 *48,000 *32$'
says "show: totals" "$out" '^total *61,706 *416,520 *$'
netc show examples/lenet5.net -D classes=3
refused "an argument that the net has not" 1 "net 'lenet5' has no argument 'classes'" show examples/lenet5.net -D classes=3

# ---- files written ----

cd_scratch=$scratch/w
mkdir "$cd_scratch"
# shellcheck disable=SC2086
netc $resnet -o "$cd_scratch/r.c"
expect "weights above 1 MB go into a file of their own" 0
check "beside the code" test -s "$cd_scratch/r.weights"
check "which the header names" grep -q 'resnet20_load' "$cd_scratch/r.h"
netc examples/mnist.net --seed 1 -o "$cd_scratch/m.c" --prefix digits
check "weights below 1 MB go into the code" grep -q 'const void \*digits_weights(void);' "$cd_scratch/m.h"
check "and need no file" test ! -e "$cd_scratch/m.weights"
netc compile examples/mnist.net -o "$cd_scratch/n.c" --batch 3 --max-threads 5 --target=c99
check "--batch and --max-threads" grep -q 'MNIST_MAX_BATCH 3$\|MNIST_MAX_BATCH 3 ' "$cd_scratch/n.h"
check "--max-threads" grep -q 'MNIST_MAX_THREADS 5' "$cd_scratch/n.h"
check "--target=c99 leaves the others out" test -z "$(grep -i 'avx\|neon' "$cd_scratch/n.c")"
check "nothing else is left behind" test "$(ls -A "$cd_scratch" | tr '\n' ' ')" = "m.c m.h n.c n.h r.c r.h r.weights "
cp "$cd_scratch/n.c" "$scratch/before.c"
rm "$cd_scratch/n.h"
ln -s /dev/full "$cd_scratch/n.h"
refused "a full disk" 1 'No space left on device' examples/lenet5.net -o "$cd_scratch/n.c"
check "leaves the old file" cmp "$cd_scratch/n.c" "$scratch/before.c"
refused "a folder that is not there" 1 'No such file or directory' examples/mnist.net -o "$scratch/no/x.c"
refused "another suffix" 2 'this netc writes .c' examples/mnist.net -o "$scratch/x.cu"
refused "--embed without weights" 2 'needs weights to embed' examples/mnist.net -o "$scratch/x.c" --embed=array
refused "a prefix that C cannot have" 1 '--prefix' examples/mnist.net -o "$scratch/x.c" --prefix 1-2
netc examples/mnist.net --dump=after:fuse
expect "--dump needs no -o" 0
says "and prints the graph" "$out" '^graph mnist$'
refused "--dump of an unknown pass" 1 "no pass 'fsue'" examples/mnist.net --dump=after:fsue
refused "--dump of no pass" 2 'takes after:PASS' examples/mnist.net --dump=fuse

# ---- fmt ----

printf 'net  a{input x[2]\noutput y=x ->relu}\n' >"$scratch/a.net"
netc fmt --check "$scratch/a.net" examples/mnist.net
expect "fmt --check: a file that is not in form" 1
says "is named" "$out" "^$scratch/a.net$"
netc fmt "$scratch/a.net"
expect "fmt in place" 0
netc fmt --check "$scratch/a.net"
expect "afterwards it is in form" 0
"$NETC_SAN" fmt - <examples/mnist.net >"$out" 2>"$err"
check "fmt -: standard input to standard output" cmp "$out" examples/mnist.net
printf 'net a {\n' >"$scratch/bad.net"
cp "$scratch/bad.net" "$scratch/bad.copy"
refused "fmt of a text with a mistake" 1 'bad.net:' fmt "$scratch/bad.net"
check "which it leaves alone" cmp "$scratch/bad.net" "$scratch/bad.copy"

# ---- hostile texts ----

refused "a binary as a net" 1 'not a text' show examples/pictures/cat.jpg
refused "a folder as a net" 1 'this is a folder' show examples
refused "a device as a net" 1 'a regular file is needed' show /dev/zero
printf 'net a { input x[9223372036854775807]\n output y = x }\n' >"$scratch/large.net"
refused "a size of 2^63 - 1" 1 'large.net:1:' show "$scratch/large.net"
printf 'block f(x) { return f(x) }\nnet a { input x[2]\n output y = f(x) }\n' >"$scratch/recursive.net"
refused "a block that calls itself" 1 'calls itself' show "$scratch/recursive.net"
printf 'net a { input x[2]\n for i in 0 .. 1000000 { x = relu(x) }\n output y = x }\n' >"$scratch/long.net"
refused "a net of 10^6 nodes" 1 'error:' show "$scratch/long.net"

finish
