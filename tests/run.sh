#!/bin/sh
# Runs test programs one after another and counts: run.sh PROGRAM... Each prints TAP lines ("ok ...", "not ok
# ..."); one that stops early or prints none counts as failed. The last line is
# "N passed, N failed, N skipped".
passed=0
failed=0
skipped=0
log=$(mktemp)
XDG_CACHE_HOME=$(mktemp -d)
export XDG_CACHE_HOME
# LeakSanitizer, as gcc 12 has it, may misread the thread-local memory of libraries opened late (LLVM's) and crash
ASAN_OPTIONS=${ASAN_OPTIONS:-intercept_tls_get_addr=0}
export ASAN_OPTIONS
trap 'rm -rf "$log" "$XDG_CACHE_HOME"' EXIT
for program in "$@"; do
    start=$(date +%s)
    CMOCKA_MESSAGE_OUTPUT=TAP "$program" >"$log" 2>&1
    status=$?
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
    printf '  %ds\n' $(($(date +%s) - start))
    grep '^\(not \)*ok .*# SKIP' "$log" | sed 's/^\(not \)*ok [0-9]* */    /'
    [ "$bad" -gt 0 ] && sed 's/^/    /' "$log" | tail -n 60
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
