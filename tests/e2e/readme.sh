#!/bin/sh
# The README's promises, as typed: every `netc ...` of it, its net, its C.
. tests/support/e2e.sh
root=$(pwd)
mkdir "$scratch/bin" "$scratch/play"
ln -s "$(cd "$(dirname "$NETC")" && pwd)/$(basename "$NETC")" "$scratch/bin/netc"
PATH=$scratch/bin:$PATH
cd "$scratch/play" || exit 1

# The files that the README speaks of: nets, a picture, weights, a data set.
cp "$root"/examples/*.net "$root/examples/pictures/cat.jpg" .
cp "$root/examples/weights/resnet20.th" w.th
for picture in "$root"/examples/pictures/*.jpg; do
    class=$(basename "$picture" .jpg)
    mkdir -p "cifar10/test/$class"
    cp "$picture" "cifar10/test/$class"
done
# safetensors of zeros, for resnet18: its header from tests/goldens/params
awk '{
        count = split($2, dims, ","); size = 4
        for (i = 1; i <= count; i++) size *= dims[i]
        header = header (NR > 1 ? "," : "") "\"" $1 "\":{\"dtype\":\"F32\",\"shape\":[" $2 "],\"data_offsets\":[" at + 0 "," at + size "]}"
        at += size
    } END { print "{" header "}"; print at > "bytes" }' "$root/tests/goldens/params/resnet18.params" | tr -d '\n' >header
length=$(($(wc -c <header)))
{
    printf "\\$(printf %03o $((length % 256)))\\$(printf %03o $((length / 256)))\\0\\0\\0\\0\\0\\0"
    cat header
    head -c "$(cat bytes)" /dev/zero
} >w.safetensors
netc export char_rnn.net --seed 1 -o char_rnn.safetensors
# MNIST's files, of 64 pictures and 10, in place of ../shared's 70,000
mkdir mnist
for part in train:64 t10k:10; do
    count=${part#*:}
    {
        printf "\\0\\0\\010\\003\\0\\0\\0\\$(printf %03o "$count")\\0\\0\\0\\034\\0\\0\\0\\034"
        tail -c $((784 * count)) w.th
    } >"mnist/${part%:*}-images-idx3-ubyte"
    {
        printf "\\0\\0\\010\\001\\0\\0\\0\\$(printf %03o "$count")"
        for i in $(seq "$count"); do printf "\\$(printf %03o $((i % 10)))"; done
    } >"mnist/${part%:*}-labels-idx1-ubyte"
done

grep -o '`netc [^`]*`' "$root/README.md" | tr -d '\140' | grep '\.net' | sort -u >commands
if [ "$(wc -l <commands)" -ge 5 ]; then ok "the README shows commands"; else not_ok "the README shows commands" commands; fi
while read -r command; do
    check "$command" sh -ec "$command"
done <commands
for made in resnet18.c resnet18.h; do
    if [ -s $made ]; then ok "... which made $made"; else not_ok "... which made $made"; fi
done

# code LANGUAGE N: the N-th fenced block of the README in this language
code() {
    awk -v fence="\`\`\`$1" -v n="$2" '
        /^```/ { inside = !inside; wanted = inside && $0 == fence; seen += wanted; next }
        wanted && seen == n' "$root/README.md"
}
code "" 1 >shown.net
shown_net() {
    grep -q '^net ' shown.net && netc fmt --check shown.net && netc show shown.net | grep -q '8,490' && netc shown.net -o mnist.c
}
check "the net in the README is in form, has mnist's 8,490 parameters and compiles" shown_net
code c 1 >snippet
{
    grep '^#include' snippet
    grep '^static' snippet
    cat <<'END'
#include <stdio.h>
static mnist_params params;
static float image[MNIST_IMAGE_SIZE], logits[MNIST_LOGITS_SIZE];
int main(void) {
END
    grep '^mnist_' snippet
    cat <<'END'
    puts(mnist_error(mnist_forward(packed, 1, image, logits, workspace, sizeof workspace)));
    return logits[9] != 0;
}
END
} >program.c
shown_c() {
    grep -q 'mnist_forward' snippet && "$CC" -std=c11 -Wall -Wextra -Werror -O1 program.c mnist.c -o program && ./program >said &&
        grep -q '^no error$' said
}
check "the C in the README compiles with it and runs" shown_c
links() {
    grep -o '](\([^)]*\))' "$root/README.md" | sed 's/^](//; s/)$//' | while read -r link; do
        [ -e "$root/$link" ] || { echo "$link is not there"; exit 1; }
    done
}
check "what the README points to is there" links
cd "$root" || exit 1

finish
