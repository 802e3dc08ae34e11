#!/bin/sh
# Runs test programs, as many at a time as there are processors (TEST_JOBS=N: N), and counts: run.sh PROGRAM...
# Each prints TAP lines ("ok ...", "not ok ..."); one that stops early or prints none counts as failed. They are
# told in the order in which they are named, with the seconds each took and, in parentheses, those of processors.
# The last line is "N passed, N failed, N skipped".
at_once=${TEST_JOBS:-$(nproc 2>/dev/null || echo 1)}
logs=$(mktemp -d)
export logs
mkdir "$logs/cache"
export XDG_CACHE_HOME="$logs/cache"
# LeakSanitizer, as gcc 12 has it, may misread the thread-local memory of libraries opened late (LLVM's) and crash
export ASAN_OPTIONS="${ASAN_OPTIONS:-intercept_tls_get_addr=0}"
# threads that wait leave the processors to the other tests
export OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-passive}"
trap 'kill $teller 2>/dev/null; rm -rf "$logs"' EXIT

# run NUMBER PROGRAM: what it prints in NUMBER.log; then, in NUMBER.done, its exit status and its seconds
run='start=$(date +%s)
CMOCKA_MESSAGE_OUTPUT=TAP "$1" >"$logs/$0.log" 2>&1
status=$?
times >"$logs/$0.times"
cpu=$(tr m "\t" <"$logs/$0.times" | tr -d s | awk "NR == 2 { print int(60 * (\$1 + \$3) + \$2 + \$4) }")
echo "$status $(($(date +%s) - start)) $cpu" >"$logs/$0.new"
mv "$logs/$0.new" "$logs/$0.done"'

# tell PROGRAM...: each as it is done, until all are
tell() {
    passed=0
    failed=0
    skipped=0
    number=0
    for program in "$@"; do
        number=$((number + 1))
        log=$logs/$number.log
        until [ -e "$logs/$number.done" ] || [ -e "$logs/end" ]; do sleep 0.2; done
        [ -e "$logs/$number.done" ] || echo "1 0 0" >"$logs/$number.done"
        [ -e "$log" ] || : >"$log"
        read -r status seconds cpu <"$logs/$number.done"
        skip=$(grep -c '^\(not \)*ok .*# SKIP' "$log") # cmocka calls what it skipped "not ok"
        ok=$(grep '^ok ' "$log" | grep -vc '# SKIP')
        bad=$(grep '^not ok ' "$log" | grep -vc '# SKIP')
        if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi
        if [ "$ok" -eq 0 ] && [ "$skip" -eq 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi
        passed=$((passed + ok))
        failed=$((failed + bad))
        skipped=$((skipped + skip))
        printf '%-48s %4d ok' "$program" "$ok"
        [ "$bad" -gt 0 ] && printf ', %d FAILED (exit %d)' "$bad" "$status"
        printf '  %ds (%ds)\n' "$seconds" "$cpu"
        grep '^\(not \)*ok .*# SKIP' "$log" | sed 's/^\(not \)*ok [0-9]* */    /'
        [ "$bad" -gt 0 ] && sed 's/^/    /' "$log" | tail -n 60
    done
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ]
}

tell "$@" &
teller=$!
number=0
for program in "$@"; do
    number=$((number + 1))
    printf '%s\n%s\n' "$number" "$program"
done | xargs -n 2 -P "$at_once" sh -c "$run"
: >"$logs/end"
wait $teller
