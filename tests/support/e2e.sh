# Sourced by tests/e2e/*.sh, which run from the repository's root: TAP lines, a scratch folder, host programs.
# NETC is the program, NETC_SAN the same built with sanitizers.
NETC=${NETC:-build/netc}
NETC_SAN=${NETC_SAN:-$NETC}
CC=${CC:-cc}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
XDG_CACHE_HOME=$scratch/cache
export XDG_CACHE_HOME
mkdir "$XDG_CACHE_HOME"
number=0
failed=0

if [ ! -x "$NETC" ] || [ ! -d examples ]; then
    echo "not ok 1 - run me from the root of netc, with $NETC built"
    exit 1
fi
[ -x "$NETC_SAN" ] || { echo "not ok 1 - there is no $NETC_SAN"; exit 1; }

# ok TEXT; not_ok TEXT [FILE with what was seen]; skip TEXT
ok() {
    number=$((number + 1))
    echo "ok $number - $1"
}
not_ok() {
    number=$((number + 1))
    failed=1
    echo "not ok $number - $1"
    [ -z "${2:-}" ] || [ ! -s "$2" ] || head -n "${LINES_SHOWN:-12}" "$2" | cut -c 1-300 | sed 's/^/# /'
}
skip() {
    number=$((number + 1))
    echo "ok $number # SKIP $1"
}
finish() {
    echo "1..$number"
    exit $failed
}
have() {
    command -v "$1" >/dev/null 2>&1
}

# check TEXT COMMAND...: ok if the command exits with 0; its output is shown if not
check() {
    what=$1
    shift
    if "$@" >"$scratch/check.log" 2>&1; then ok "$what"; else not_ok "$what" "$scratch/check.log"; fi
}

# agree FILE FILE TOLERANCE: the numbers of two files, as a share of the largest of the first
agree() {
    paste -d ' ' "$1" "$2" | awk -v tolerance="$3" '
        function abs(x) { return x < 0 ? -x : x }
        NF != 2 || $1 !~ /^[-+0-9.e]+$/ || $2 !~ /^[-+0-9.e]+$/ { print "line " NR ": " $0; bad = 1; exit }
        { if (abs($1) > most) most = abs($1); if (abs($1 - $2) > far) far = abs($1 - $2) }
        END {
            if (bad || !NR || !most) { print NR " numbers, the largest " most; exit 1 }
            print far / most " of the largest, allowed " tolerance
            exit !(far <= tolerance * most)
        }'
}

# emit NET DIR [OPTION...]: DIR/net.c and DIR/net.h with --prefix net, DIR/host.flags for host.c
emit() {
    net=$1 dir=$2
    shift 2
    mkdir -p "$dir"
    "$NETC" "examples/$net.net" --prefix net -o "$dir/net.c" "$@" || return 1
    host_flags "$dir/net.h" >"$dir/host.flags"
}

# host_flags HEADER: what tests/e2e/host.c must know of the pair, read from the prototype of net_forward
host_flags() {
    sed -n '/^int net_forward(/,/;/p' "$1" | tr -s ' \n' '  ' | sed 's/.*(//; s/).*//' | awk -F ', *' '
        {
            for (i = 3; i <= NF - 2; i++) {
                name = $i; sub(/.*\*/, "", name)
                size = "NET_" toupper(name) "_SIZE"
                if ($i ~ /net_state/) state = " -DSTATE"
                else if ($i ~ /^const/) io = io " IN(" ($i ~ /int32_t/ ? "int32_t" : "float") "," name "," size ")"
                else io = io " OUT(" ($i ~ /int32_t/ ? "int32_t" : "float") "," name "," size ")"
            }
            print "-DIO=" io
            if (state) print "-DSTATE"
        }'
}

# host DIR OUT COMPILER [FLAG...]: compiles the pair in DIR with tests/e2e/host.c to DIR/OUT
host() {
    dir=$1 out=$2 compiler=$3
    shift 3
    io=$(head -n 1 "$dir/host.flags")
    state=$(sed -n 2p "$dir/host.flags")
    # shellcheck disable=SC2086
    $compiler -std=c11 -O1 "$@" "$io" $state -I"$dir" tests/e2e/host.c "$dir/net.c" -o "$dir/$out" -lm
}

# golden NET: PyTorch's outputs in tests/goldens/zoo, a number a line; batch_of NET: for how many samples; bound_of NET:
# the flag for host.c where inputs are integers
golden() {
    grep -v -E '^(batch|expect) ' "tests/goldens/zoo/$1.txt" | tr ' ' '\n'
}
batch_of() {
    sed -n 's/^batch //p' "tests/goldens/zoo/$1.txt"
}
bound_of() {
    case $1 in
    char_rnn) echo -DBOUND=96 ;;
    tagger) echo "-DBOUND=$(sed -n 's/.*words *= *\([0-9]*\).*/\1/p' examples/tagger.net | head -n 1)" ;;
    *) echo -DBOUND=1 ;;
    esac
}
