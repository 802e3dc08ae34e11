#!/bin/sh
# Compiled code kept between runs: what a second run does not do, and that it gives the same numbers.
. tests/support/e2e.sh
cache=$XDG_CACHE_HOME/netc
net=examples/lenet5.net

LD_DEBUG=files "$NETC" run $net --seed 1 --input random:1 --backend llvm >/dev/null 2>"$scratch/probe.log"
if ! grep -q libLLVM "$scratch/probe.log"; then
    skip "this netc was built without LLVM"
    finish
fi
files() { find "$cache" -type f 2>/dev/null | wc -l; }
is() { [ "$1" = "$2" ] || { echo "$1, not $2"; return 1; }; }
check "a first run opens LLVM and keeps one file" is "$(files)" 1

# numbers FILE OPTION...: the logits of a run, with what the loader opened in FILE.log
numbers() {
    to=$1
    shift
    LD_DEBUG=files "$NETC" run $net --seed 1 --input random:1 --output "$to" "$@" >/dev/null 2>"$to.log" || cat "$to.log"
}
numbers "$scratch/kept.npy"
opened() { grep -q libLLVM "$scratch/$1.npy.log"; }
not() { ! "$@"; }
check "a second run does not open it" not opened kept
numbers "$scratch/fresh.npy" --no-cache
check "--no-cache does" opened fresh
check "... and keeps nothing" is "$(files)" 1
check "not a bit differs" cmp "$scratch/kept.npy" "$scratch/fresh.npy"
numbers "$scratch/c.npy" --backend c
check "--backend c keeps nothing" is "$(files)" 1

numbers "$scratch/other.npy" --passes=-fuse
check "other options, other code" opened other
check "... kept beside it" is "$(files)" 2
for options in "--threads 1" "--target c99" "--exact-conv --batch 3" "--passes=-cse --threads 2"; do
    rm -f "$scratch/a.npy" "$scratch/b.npy"
    # shellcheck disable=SC2086
    numbers "$scratch/a.npy" $options
    # shellcheck disable=SC2086
    numbers "$scratch/b.npy" $options
    check "$options: kept code gives what fresh code gives" cmp "$scratch/a.npy" "$scratch/b.npy"
    check "$options: the second run did not compile" not opened b
done

before=$(files)
for f in "$cache"/*; do dd if=/dev/urandom of="$f" bs=1 seek=3000 count=1000 conv=notrunc 2>/dev/null; done
numbers "$scratch/damaged.npy"
check "damaged code is not run" cmp "$scratch/damaged.npy" "$scratch/fresh.npy"
check "... but made again" opened damaged
numbers "$scratch/again.npy"
check "... and kept again" not opened again
check "... in its place" is "$(files)" "$before"

cp "$NETC" "$scratch/netc2" && printf '\0' >>"$scratch/netc2"
LD_DEBUG=files "$scratch/netc2" run $net --seed 1 --input random:1 >/dev/null 2>"$scratch/same.npy.log"
check "the same build under another name takes it" not opened same

# ---- several at once, some of them killed ----

rm -rf "$cache"
for k in 1 2 3 4 5 6; do
    "$NETC" run $net --seed 1 --input random:1 --output "$scratch/many$k.npy" >/dev/null 2>"$scratch/many.log" &
done
for k in 0.01 0.03 0.05 0.07; do
    "$NETC" run $net --seed 1 --input random:1 --passes=-cse >/dev/null 2>&1 &
    killed=$!
    sleep $k
    kill -9 $killed 2>/dev/null
done
wait
all_same() { for k in 1 2 3 4 5 6; do cmp "$scratch/many$k.npy" "$scratch/fresh.npy" || return 1; done; }
check "six processes at once: each gives the numbers" all_same
numbers "$scratch/after.npy" --passes=-cse
check "... and so does one after others were killed" cmp "$scratch/after.npy" "$scratch/fresh.npy"

# ---- no cache to be had ----

for home in /dev/null /nonexistent/x relative ""; do
    XDG_CACHE_HOME=$home HOME=/dev/null numbers "$scratch/none.npy"
    check "cache folder '$home': the net runs" cmp "$scratch/none.npy" "$scratch/fresh.npy"
done
HOME=$scratch/home XDG_CACHE_HOME='' numbers "$scratch/home.npy"
check "without HOME's folder too" cmp "$scratch/home.npy" "$scratch/fresh.npy"
mkdir "$scratch/home"
HOME=$scratch/home XDG_CACHE_HOME='' numbers "$scratch/home.npy"
check "~/.cache is made" is "$(find "$scratch/home/.cache/netc" -type f | wc -l)" 1
"$NETC_SAN" run $net --seed 1 --input random:1 >"$scratch/san1" 2>&1
"$NETC_SAN" run $net --seed 1 --input random:1 >"$scratch/san2" 2>&1
check "under the sanitizers" cmp "$scratch/san1" "$scratch/san2"
finish
