#!/bin/sh
# Runs test programs one after another and counts: run.sh PROGRAM... Each prints TAP lines ("ok ...", "not ok
# ..."); one that stops early or prints none counts as failed. The last line is "N passed, N failed".
passed=0
failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for program in "$@"; do
    start=$(date +%s)
    CMOCKA_MESSAGE_OUTPUT=TAP "$program" >"$log" 2>&1
    status=$?
    ok=$(grep -c '^ok ' "$log")
    bad=$(grep -c '^not ok ' "$log")
    if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi
    if [ "$ok" -eq 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi
    passed=$((passed + ok))
    failed=$((failed + bad))
    printf '%-48s %4d ok' "$program" "$ok"
    [ "$bad" -gt 0 ] && printf ', %d FAILED (exit %d)' "$bad" "$status"
    printf '  %ds\n' $(($(date +%s) - start))
    grep '^ok .*# SKIP' "$log" | sed 's/^ok [0-9]* */    /'
    [ "$bad" -gt 0 ] && sed 's/^/    /' "$log" | tail -n 60
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
