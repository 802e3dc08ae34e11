#!/bin/sh
# netc train as a user meets it: it learns, its folder is complete, and whatever ends it (Ctrl-C, kill -9, a full disk,
# a broken picture, a loss that is no number) leaves a checkpoint from which --resume ends with the very same bits.
. tests/support/e2e.sh
d=$scratch/d
mkdir -p "$d/data"

# idx FILE COUNT SEED: COUNT pictures of 6×6 in three classes, class c bright in rows 2c and 2c+1, on noise; labels beside
idx() {
    awk -v n="$2" -v seed="$3" 'BEGIN {
        srand(seed)
        printf "\\0000\\0000\\0010\\0003\\0000\\0000\\0000\\0%o\\0000\\0000\\0000\\0006\\0000\\0000\\0000\\0006", n
        for (i = 0; i < n; i++)
            for (k = 0; k < 36; k++)
                printf "\\0%o", int(rand() * 170) + (int(k / 12) == i % 3 ? 70 : 0)
    }' >"$scratch/escapes"
    printf '%b' "$(cat "$scratch/escapes")" >"$1-images-idx3-ubyte"
    awk -v n="$2" 'BEGIN {
        printf "\\0000\\0000\\0010\\0001\\0000\\0000\\0000\\0%o", n
        for (i = 0; i < n; i++) printf "\\0%o", i % 3
    }' >"$scratch/escapes"
    printf '%b' "$(cat "$scratch/escapes")" >"$1-labels-idx1-ubyte"
}
idx "$d/data/train" 150 1
idx "$d/data/t10k" 60 2

# batch norm, dropout and augmentation: all that a run must remember besides weights
cat >"$d/tiny.net" <<'TEXT'
net tiny {
    input image[1, 6, 6]
    x = image -> conv1: conv(4, 3, pad = 1) -> bn1: batchnorm -> relu -> maxpool(2) -> dropout(0.1)
    output logits = x -> flatten -> fc: linear(3)
    train {
        loss      = cross_entropy(logits)
        optimizer = adam(lr = 0.02)
        schedule  = cosine(warmup = 1)
        augment   = [random_crop(6, pad = 1), random_flip]
        batch     = 16
        epochs    = 12
    }
}
TEXT

# train OUT OPTION...: with the interpreter, which starts at once; start: in place of this shell
train() {
    (start "$@")
}
start() {
    out=$1
    shift
    exec "$NETC" train "$d/tiny.net" --data "$d/data" --out "$out" --backend interp "$@"
}
# same OUT OUT: weights, bit by bit, and results but for the times
same() {
    for o in "$1" "$2"; do
        "$NETC" export "$d/tiny.net" --weights "$o/last.safetensors" -o "$o/weights.safetensors" &&
            cut -d , -f 1-7 "$o/results.csv" >"$o/untimed.csv" || return 1
    done
    cmp "$1/weights.safetensors" "$2/weights.safetensors" && cmp "$1/best.safetensors" "$2/best.safetensors" &&
        cmp "$1/untimed.csv" "$2/untimed.csv"
}

# ---- a run ----

if train "$d/whole" >"$scratch/out" 2>"$scratch/err"; then ok "a run ends with 0"; else not_ok "a run ends with 0" "$scratch/err"; fi
check "every epoch has its line" test "$(grep -c '^epoch .* loss .* accuracy .* images/s' "$scratch/out")" = 12
check "it learns" awk -F , 'NR == 2 { first = $4 } END { exit !(NR == 13 && $4 < 0.6 * first && $7 > 0.85) }' "$d/whole/results.csv"
for file in best.safetensors last.safetensors recipe.net command.txt results.csv events.out.tfevents.netc; do
    check "the folder has $file" test -s "$d/whole/$file"
done
check "the recipe compiles, and tells what was run" sh -c "'$NETC' show '$d/whole/recipe.net' && grep -q '^#  *optimizer *adam(lr=0.02)' '$d/whole/recipe.net'"
if "$NETC" eval "$d/tiny.net" --weights "$d/whole/best.safetensors" --data "$d/data" --backend interp >"$scratch/out" 2>&1 &&
    grep -q "top1 $(awk -F , 'NR > 1 && $7 > best { best = $7 } END { printf "%.2f", 100 * best }' "$d/whole/results.csv") %" "$scratch/out"; then
    ok "netc eval finds the best epoch's accuracy again"
else
    not_ok "netc eval finds the best epoch's accuracy again" "$scratch/out"
fi
sum=$(cat "$d"/whole/* | cksum)
check "a finished run resumed ends with 0" train "$d/whole" --resume
check "and changes nothing" test "$(cat "$d"/whole/* | cksum)" = "$sum"
train "$d/more" --epochs 3 >/dev/null 2>&1
check "more epochs are allowed" train "$d/more" --resume --epochs 4
check "they follow the others" test "$(tail -n 1 "$d/more/results.csv" | cut -d , -f 1)" = 4

# a text in pieces is copied with its pieces, and what it amounted to can be run again from the folder alone
mkdir -p "$d/split/parts"
sed -n '/^net/,/x = image/p' "$d/tiny.net" | sed 's/^net/use "parts\/block.net"\n\nnet/; s/maxpool(2) -> dropout(0.1)/half/; s/^    input/    labels = "parts\/classes.txt"\n&/' >"$d/split/tiny.net"
sed -n '/output/,$p' "$d/tiny.net" >>"$d/split/tiny.net"
printf 'block half(x) {\n    return x -> maxpool(2) -> dropout(0.1)\n}\n' >"$d/split/parts/block.net"
printf 'first\nsecond\nthird\n' >"$d/split/parts/classes.txt"
"$NETC" train "$d/split/tiny.net" --data "$d/data" --out "$d/one" --backend interp --epochs 2 >"$scratch/out" 2>"$scratch/err" &&
    mv "$d/split" "$d/gone" && "$NETC" train "$d/one/recipe.net" --data "$d/data" --out "$d/two" --backend interp --epochs 2 >"$scratch/out" 2>>"$scratch/err"
check "recipe.net can be run again, with all that it names" same "$d/one" "$d/two"

# ---- ended, and going on ----

# stopped SIGNAL CODE: a run that gets it, and the next that goes on
stopped() {
    : >"$scratch/err"
    start "$d/$1" --save-every 1000 >/dev/null 2>>"$scratch/err" &
    pid=$!
    waited=0 # until it trains, however fast or slow the machine is
    while [ ! -s "$scratch/err" ] && [ $waited -lt 1000 ]; do
        sleep 0.01
        waited=$((waited + 1))
    done
    kill -"$1" $pid
    wait $pid
    code=$?
    if [ $code -eq "$2" ] && grep -q "^    netc train .*--out $d/$1.* --resume" "$scratch/err"; then
        ok "SIG$1 saves and says how to go on"
    else
        not_ok "SIG$1 saves and says how to go on (exit $code)" "$scratch/err"
    fi
    check "the run goes on" train "$d/$1" --resume
    check "to the same bits" same "$d/whole" "$d/$1"
}
stopped TERM 143
stopped HUP 129

# killed RUN NUMBER: after a random time
kills=0
began=0
while [ $kills -lt 100 ]; do
    start "$d/killed" --resume --save-every 0.03 >/dev/null 2>"$scratch/err" &
    pid=$!
    sleep "$(awk -v n=$kills 'BEGIN { srand(n); printf "%.3f", 0.01 + 0.25 * rand() }')"
    if kill -9 $pid 2>/dev/null; then kills=$((kills + 1)); fi
    wait $pid 2>/dev/null
    code=$?
    [ $code -eq 137 ] || [ $code -eq 0 ] || break
    # once it is through, the next one starts anew
    if [ $code -eq 0 ]; then
        same "$d/whole" "$d/killed" >"$scratch/same" 2>&1 || break
        began=$((began + 1))
        rm -rf "$d/killed"
    fi
done
if [ $kills -eq 100 ]; then ok "100 kills ($began runs came to their end)"; else not_ok "kill $kills: exit $code" "$scratch/err"; fi
check "and the last run goes on" train "$d/killed" --resume
check "to the same bits after kills" same "$d/whole" "$d/killed"
check "nothing half written is left" test -z "$(find "$d/killed" -name '.netc-*')"

# ---- backends and threads ----

if have "$CC"; then
    for threads in 1 2; do
        "$NETC" train "$d/tiny.net" --data "$d/data" --out "$d/t$threads" --backend c --threads $threads >/dev/null 2>"$scratch/err" ||
            not_ok "the C backend trains with $threads threads" "$scratch/err"
    done
    check "one thread and two give the same bits" same "$d/t1" "$d/t2"
fi

# ---- refusals ----

# refused CODE TEXT PATTERN ARGUMENT...: exit code and message of the program with sanitizers
refused() {
    code=$1 what=$2 pattern=$3
    shift 3
    "$NETC_SAN" train "$@" --backend interp >"$scratch/out" 2>"$scratch/err" </dev/null
    got=$?
    if [ $got -eq "$code" ] && grep -q 'error:' "$scratch/err" && grep -q -E -e "$pattern" "$scratch/err"; then
        ok "$what"
    else
        not_ok "$what (exit $got, must say '$pattern')" "$scratch/err"
    fi
}
tiny="$d/tiny.net --data $d/data"
# shellcheck disable=SC2086
{
    refused 2 "no data" 'on what. --data' "$d/tiny.net"
    refused 1 "a folder that has a run" '--resume' $tiny --out "$d/whole"
    refused 1 "a checkpoint of another recipe" 'error: .*another run' $tiny --out "$d/whole" --resume --set optimizer.lr=0.5
    check "and says what differs" grep -q 'optimizer was adam(lr=0.02), and is now adam(lr=0.5)' "$scratch/err"
    refused 1 "another seed" 'seed 1, not 2' $tiny --out "$d/whole" --resume --seed 2
    refused 1 "a file as the run's folder" 'this is a file' $tiny --out "$d/tiny.net"
    refused 1 "frozen parameters that are not there" "called like 'conv9" $tiny --freeze 'conv9.*' --out "$d/x"
    refused 1 "weights of another net" "none of its .* tensors" $tiny --weights examples/weights/resnet20.th --out "$d/x"
    refused 1 "no optimizer" 'names no optimizer' $tiny --set optimizer=none --out "$d/x"
    refused 1 "no such data" 'no such folder' "$d/tiny.net" --data "$d/nowhere" --out "$d/x"
    refused 1 "a loss that is no number" 'epoch 1, step [0-9]+: .*finite' $tiny --set 'optimizer=sgd(lr=1e30)' --set schedule=constant --out "$d/nan"
}
check "nothing is left of what never began" test ! -e "$d/x"

mkdir "$d/labels"
cp "$d"/data/* "$d/labels"
printf '\011' | dd of="$d/labels/train-labels-idx1-ubyte" bs=1 seek=40 conv=notrunc 2>/dev/null
refused 1 "a label out of range, by its file and place" 'train-labels-idx1-ubyte: .*32 .*label 9' "$d/tiny.net" --data "$d/labels" --out "$d/x"

mkdir -p "$d/pictures/cat" "$d/pictures/dog" "$d/pictures/ship"
for k in 1 2 3 4 5 6 7 8; do
    for class in cat dog ship; do cp examples/pictures/$class.jpg "$d/pictures/$class/$k.jpg"; done
done
pictures="$d/tiny.net --data $d/pictures --set batch=2 --epochs 2"
# shellcheck disable=SC2086
"$NETC" train $pictures --out "$d/jpeg" --backend interp --epochs 1 >/dev/null 2>&1
cp "$d/jpeg/last.safetensors" "$d/before"
head -c 500 examples/pictures/dog.jpg >"$d/pictures/dog/5.jpg"
# shellcheck disable=SC2086
refused 1 "a picture that is cut, by its name" 'dog/5\.jpg' $pictures --out "$d/jpeg" --resume
check "the checkpoint before it is as it was" cmp "$d/before" "$d/jpeg/last.safetensors"
cp examples/pictures/dog.jpg "$d/pictures/dog/5.jpg"
# shellcheck disable=SC2086
check "with the picture mended the run goes on" "$NETC" train $pictures --out "$d/jpeg" --resume --backend interp

if mkdir "$d/disk" && mount -t tmpfs -o size=48k netc-test "$d/disk" 2>/dev/null; then
    # shellcheck disable=SC2086
    "$NETC" train $tiny --out "$d/disk/run" --backend interp --epochs 1 >/dev/null 2>&1
    cp "$d/disk/run/last.safetensors" "$d/before"
    dd if=/dev/zero of="$d/disk/fill" bs=1k count=64 2>/dev/null
    # shellcheck disable=SC2086
    refused 1 "a full disk" 'disk/run/.*No space left' $tiny --out "$d/disk/run" --resume --epochs 2
    check "the checkpoint before it is as it was, on a full disk" cmp "$d/before" "$d/disk/run/last.safetensors"
    rm "$d/disk/fill"
    umount "$d/disk"
else
    skip "a full disk: no file system can be mounted here"
fi

# ---- fine-tuning ----

sed 's/linear(3)/linear(4)/' "$d/tiny.net" >"$d/four.net"
"$NETC" train "$d/four.net" --data "$d/data" --backend interp --weights "$d/whole/best.safetensors" --freeze 'conv1.*' --epochs 1 \
    --out "$d/tuned" >"$scratch/out" 2>"$scratch/err"
check "a head of another size starts fresh, and says so" grep -q "starts fresh: 'fc.weight' is \[3,36\] in the file, \[4,36\] in the net" "$scratch/err"
"$NETC" export "$d/four.net" --weights "$d/tuned/last.safetensors" -o "$d/tuned.npz" >"$scratch/err" 2>&1
"$NETC" export "$d/tiny.net" --weights "$d/whole/best.safetensors" -o "$d/whole.npz" >>"$scratch/err" 2>&1
if have unzip; then
    for name in conv1.weight bn1.weight; do
        unzip -p "$d/tuned.npz" $name.npy >"$scratch/a" 2>>"$scratch/err"
        unzip -p "$d/whole.npz" $name.npy >"$scratch/b" 2>>"$scratch/err"
        if [ $name = conv1.weight ]; then
            check "what is frozen stays as it was" cmp "$scratch/a" "$scratch/b"
        else
            check "what is not is trained" sh -c "! cmp -s '$scratch/a' '$scratch/b' && test -s '$scratch/a'"
        fi
    done
fi
finish
