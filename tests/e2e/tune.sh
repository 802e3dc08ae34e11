#!/bin/sh
# --tune: what was timed once is remembered, and the same file gives the same code.
. tests/support/e2e.sh
d=$scratch/d
mkdir -p "$d/a" "$d/b"
cat >"$d/net.net" <<'END'
net small {
    input image[16, 12, 12]
    x = image -> conv1: conv(16, 3, pad = 1) -> relu -> conv2: conv(32, 3, pad = 1) -> relu
    output y = x -> global_avgpool -> fc: linear(3)
    train {
        loss      = cross_entropy(y)
        optimizer = sgd(lr = 0.1)
        init      = uniform
    }
}
END

# compile FOLDER OPTION...: FOLDER/net.c with what $d/t.tune says
compile() {
    to=$d/$1/net.c
    shift
    "$NETC" "$d/net.net" --tune "$d/t.tune" -o "$to" "$@"
}
lines() {
    [ "$(grep -c '^conv2d \[N,16,12,12\] .* -> [a-z0-9]*$' "$d/t.tune")" = 2 ] &&
        [ "$(grep -vc '^#' "$d/t.tune")" = 2 ] && grep -v '^#' "$d/t.tune" | LC_ALL=C sort -c
}
unchanged() {
    before=$(ls -i --full-time "$d/t.tune")
    compile b && [ "$(ls -i --full-time "$d/t.tune")" = "$before" ] && cmp "$d/a/net.c" "$d/b/net.c"
}
# forced WAY: a file that says so for every layer gives kernels of that way alone, whatever was faster
forced() {
    sed -i "s/-> .*/-> $1/" "$d/t.tune"
    "$NETC" "$d/net.net" --tune "$d/t.tune" --dump=after:lower >"$d/dump" || return 1
    [ "$(grep -c "call $2.*# conv2d" "$d/dump")" -ge 2 ]
}
more() {
    compile a --batch 2 && [ "$(grep -vc '^#' "$d/t.tune")" = 4 ] && grep -q 'batch=2 ' "$d/t.tune"
}
training() {
    "$NETC" "$d/net.net" --train --batch 2 --tune "$d/t.tune" -o "$d/a/net.c" &&
        grep -q '^conv2d_weight .* batch=2 ' "$d/t.tune" && grep -vq '^#' "$d/t.tune"
}
running() {
    "$NETC" run "$d/net.net" --seed 1 --input random:1 --threads 1 --tune "$d/r.tune" >"$d/out" &&
        [ "$(grep -c ' threads=1 -> ' "$d/r.tune")" = 2 ] &&
        "$NETC" run "$d/net.net" --seed 1 --input random:1 --threads 1 --tune "$d/r.tune" >"$d/again" && cmp "$d/out" "$d/again"
}
refused() {
    want=$1 says=$2
    shift 2
    rm -f "$d/none.c"
    "$NETC_SAN" "$d/net.net" -o "$d/none.c" "$@" >"$d/out" 2>"$d/err"
    [ $? -eq "$want" ] && grep -q "$says" "$d/err" && [ ! -e "$d/none.c" ] || { cat "$d/err"; return 1; }
}

if have "$CC"; then
    check "what is not known is timed" compile a
    check "a line a layer, sorted" lines
    check "the same file, the same code, nothing timed" unchanged
    check "winograd where the file says so" forced winograd2 winograd2_
    check "direct where the file says so" forced direct conv3_
    check "another batch is another question" more
    check "a training step's layers too" training
    check "run: with this many threads" running
else
    skip "there is no compiler to time code of"
fi

printf '# a comment\nconv2d [N,16,12,12] batch=1 c99 threads=1 -> fastest\n' >"$d/bad.tune"
check "a way that is none: file, line, column" refused 1 "bad.tune:2:46: error: conv2d is not computed by 'fastest'" --tune "$d/bad.tune"
printf 'conv2d' >"$d/bad.tune"
check "a line that is none" refused 1 "bad.tune:1:1: error: expected LAYER batch=N TARGET threads=N -> WAY" --tune "$d/bad.tune"
check "a folder" refused 1 "$d" --tune "$d"
check "no file named" refused 2 "tune needs a value" --tune
elsewhere=neon
[ "$(uname -m)" = aarch64 ] && elsewhere=avx2
check "code that this machine cannot time" refused 1 "has no answer for 2 layers, and this machine cannot time $elsewhere code" \
    --target "$elsewhere" --tune "$d/new.tune"
finish
