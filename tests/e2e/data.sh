#!/bin/sh
# Data sets of every kind through `netc eval`, with and without the augmentations of a net's text.
. tests/support/e2e.sh

cat >"$scratch/tiny.net" <<'NET'
net tiny(classes = 8) {
    input image[1, 5, 7]
    output logits = image -> flatten -> fc: linear(classes)
    train {
        loss    = cross_entropy(logits)
        augment = [random_crop([5, 7], pad = 2), random_flip, permute(seed = 3)]
        batch   = 2
    }
}
NET
cat >"$scratch/sequence.net" <<'NET'
net sequence(length = 8) {
    input text[length] int
    x = text -> embedding: embedding(96, 4) -> rnn: rnn(6)
    output logits = x -> fc: linear(96)
    train { loss = cross_entropy(logits) }
}
NET

# eval NET OPTION...: stdout without the speed, which is no result of the net
eval_net() {
    net=$1
    shift
    "$NETC_SAN" eval "$scratch/$net.net" --seed 1 --backend interp "$@" >"$scratch/out" 2>"$scratch/err"
    code=$?
    sed 's/  [0-9]* images.s$//' "$scratch/out"
    return $code
}
# is TEXT EXPECTED GOT; differs TEXT A B; refused TEXT CODE PATTERN NET OPTION...: the exit code, and stderr matches
is() {
    [ "$2" = "$3" ] && ok "$1" && return
    printf '%s\n%s\n' "$2" "$3" >"$scratch/both"
    not_ok "$1" "$scratch/both"
}
differs() {
    [ "$2" != "$3" ] && ok "$1" && return
    echo "$2" >"$scratch/both"
    not_ok "$1" "$scratch/both"
}
refused() {
    what=$1 code=$2 pattern=$3
    shift 3
    eval_net "$@" >/dev/null
    [ $? = "$code" ] && grep -q -- "$pattern" "$scratch/err" && ok "$what" && return
    not_ok "$what" "$scratch/err"
}

digits=tests/data/runtime/digits.npz
test=$(eval_net tiny --data $digits)
case $test in
"2 images  "*" correct "*) ok "an .npz's test part by default" ;;
*) not_ok "an .npz's test part by default" "$scratch/err" ;;
esac
plain=$(eval_net tiny --data $digits --split train)
case $plain in
"4 images  "*" correct "*) ok "an .npz's training part" ;;
*) not_ok "an .npz's training part" "$scratch/err" ;;
esac
is "batches of any size come to the same" "$plain" "$(eval_net tiny --data $digits --split train --batch 3 --threads 4)"
augmented=$(eval_net tiny --data $digits --split train --augment)
differs "--augment changes the pictures" "$plain" "$augmented"
is "and always in the same way" "$augmented" "$(eval_net tiny --data $digits --split train --augment --threads 3)"
none=$(eval_net tiny --data $digits --split train --set augment=none)
differs "a permutation of pixels is no matter of chance" "$plain" "$none"
is "without it, --augment does nothing" "$none" \
    "$(eval_net tiny --data $digits --split train --set augment=none --augment)"
refused "a label that the net has no place for" 1 \
    "digits.npz\[y_train\]: sample 0 has the label 7, but the net 'tiny' tells 6 classes apart" \
    tiny --data $digits --split train -D classes=6
refused "sizes that do not fit" 1 "after pad pictures are 9 x 7, but the net takes 7 x 5" \
    tiny --data $digits --set "augment=[pad(1)]"

printf 'the quick brown fox\njumps over the lazy dog\n' >"$scratch/all.txt"
text=$(eval_net sequence --data "$scratch/all.txt")
case $text in
"5 images  "*" correct "*) ok "a text, a class a character" ;;
*) not_ok "a text, a class a character" "$scratch/out" ;;
esac
printf 'na\303\257ve\n' >"$scratch/bad.txt"
refused "a text that is not ASCII" 1 'bad.txt: line 1, byte 3: 0xc3 is no printable ASCII' \
    sequence --data "$scratch/bad.txt"
refused "a text for a net of pictures" 1 "a text is read by nets with an input \[length\] int" \
    tiny --data "$scratch/all.txt"
refused "pictures for a net of texts" 1 "input 'text' needs \[samples,8\]" sequence --data $digits
finish
