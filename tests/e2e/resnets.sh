#!/bin/sh
# The pretrained ResNets on CIFAR-10's test pictures: as many right as PyTorch has (tests/goldens/cifar_resnets.txt), by
# the C backend and, on every hundredth picture, by the interpreter, class for class.
. tests/support/e2e.sh

archive=../shared/data/cifar10/cifar10-jpeg.tar.xz
wanted=tests/goldens/cifar_resnets.txt
if [ ! -f "$archive" ]; then
    skip "../shared/data has no CIFAR-10 here"
    finish
fi
tar -xJf "$archive" -C "$scratch" || not_ok "the archive is read"
data=$(dirname "$(find "$scratch" -type d -name test | head -n 1)")

weights_of() {
    find ../shared/data/weights -name "$1-*.th"
}
# correct NET OPTION...: the number that `eval` says
correct() {
    net=$1
    shift
    "$NETC" eval "examples/$net.net" --weights "$(weights_of "$net")" --data "$data" "$@" 2>"$scratch/err" |
        sed -n 's/^\([0-9]*\) images *\([0-9]*\) correct.*/\2 \1/p'
}
same_count() {
    want=$(sed -n "s/^$1 \([0-9]* [0-9]*\)\$/\1/p" $wanted)
    got=$(correct "$@")
    echo "$got, PyTorch: $want"
    cat "$scratch/err"
    [ -n "$want" ] && [ "$got" = "$want" ]
}

for net in resnet20 resnet32 resnet44 resnet56; do
    check "$net on the 10,000 test pictures: as many right as PyTorch has" same_count "$net" --backend c
    sed 's/^/# /' "$scratch/check.log"
done

# ---- every hundredth picture, class for class ----

find "$data/test" -type f | LC_ALL=C sort | awk 'NR % 100 == 1' >"$scratch/pictures"

# guesses NET OPTION...: a digit a picture
guesses() {
    net=$1
    shift
    # the scratch folder's name has no blanks
    # shellcheck disable=SC2046
    "$NETC" run "examples/$net.net" --weights "$(weights_of "$net")" --top 1 "$@" $(cat "$scratch/pictures") 2>"$scratch/err" |
        awk 'BEGIN { split("airplane automobile bird cat deer dog frog horse ship truck", name); for (i in name) digit[name[i]] = i - 1 }
             { printf "%s", $2 in digit ? digit[$2] : "?" } END { print "" }'
}
same_guesses() {
    want=$(sed -n "s/^$1 each100th //p" $wanted)
    got=$(guesses "$@")
    printf 'got   %s\nwants %s\n' "$got" "$want"
    cat "$scratch/err"
    [ ${#want} = 100 ] && [ "$got" = "$want" ]
}
for net in resnet20 resnet32 resnet44 resnet56; do
    check "$net, a hundred pictures: PyTorch's classes" same_guesses $net --backend c
done
check "resnet20, a hundred pictures: PyTorch's classes from the interpreter" same_guesses resnet20 --backend interp
check "resnet20, a hundred pictures: PyTorch's classes without the optional passes" same_guesses resnet20 --backend c \
    --passes=-hoist,-fold-bn,-fold-constants,-simplify,-cse,-fuse

finish
