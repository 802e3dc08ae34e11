# Sourced after e2e.sh: nets whose entries take the host's threads (objects, C with --executor), called by host.c.

# host.c calls net_prepare(..) and net_forward(..): here with a team in front, three threads where TEAM is set.
cat >"$scratch/team.h" <<'END'
#define _POSIX_C_SOURCE 200112L
#include "net.h"
#ifdef TEAM
#include <pthread.h>
typedef struct { void (*body)(void *, int, int); void *arg; int count, slot; } share;
static void *share_run(void *context) {
    share *s = context;
    for (int i = s->count - 1 - s->slot; i >= 0; i -= 3) s->body(s->arg, i, s->slot);
    return 0;
}
static void team_run(void *user, void (*body)(void *, int, int), void *arg, int count) {
    pthread_t thread[3];
    share s[3];
    (void)user;
    for (int k = 0; k < 3; k++) {
        s[k].body = body, s[k].arg = arg, s[k].count = count, s[k].slot = k;
        pthread_create(&thread[k], 0, share_run, &s[k]);
    }
    for (int k = 0; k < 3; k++) pthread_join(thread[k], 0);
}
static const net_executor lent = {0, 3, team_run};
#define LENT &lent
#else
#define LENT (const net_executor *)0
#endif
#define net_prepare(...) net_prepare(LENT, __VA_ARGS__)
#define net_forward(...) net_forward(LENT, __VA_ARGS__)
#define net_forward_u8(...) net_forward_u8(LENT, __VA_ARGS__)
END

# write NET DIR SUFFIX [OPTION...]: DIR/net.SUFFIX, DIR/net.h, DIR/host.flags
write() {
    net=$1 dir=$2 suffix=$3
    shift 3
    mkdir -p "$dir"
    "$NETC" "examples/$net.net" --prefix net -o "$dir/net.$suffix" "$@" || return 1
    sed 's/^int net_forward(const net_executor \*executor, /int net_forward(/' "$dir/net.h" >"$dir/plain.h"
    host_flags "$dir/plain.h" >"$dir/host.flags"
}

# link DIR OUT SUFFIX COMPILER [FLAG...]
link() {
    dir=$1 out=$2 suffix=$3 compiler=$4
    shift 4
    io=$(head -n 1 "$dir/host.flags")
    state=$(sed -n 2p "$dir/host.flags")
    # shellcheck disable=SC2086
    $compiler -std=c11 -O1 -Wall -Wextra "$@" "$io" $state -I"$dir" -include "$scratch/team.h" tests/e2e/host.c \
        "$dir/net.$suffix" -o "$dir/$out" -Wl,-rpath,"$dir" -lpthread -lm
}

# against_pytorch NET DIR SUFFIX RUNNER COMPILER [FLAG...]: linked, run, held against the golden numbers
against_pytorch() {
    net=$1 dir=$2 suffix=$3 runner=$4 compiler=$5
    shift 5
    n=$(batch_of "$net")
    link "$dir" host "$suffix" "$compiler" "$(bound_of "$net")" "$@" || return 1
    $runner "$dir/host" "$n" >"$dir/host.out" || return 1
    golden "$net" >"$dir/host.golden"
    head -n "$(wc -l <"$dir/host.golden")" "$dir/host.out" >"$dir/host.first"
    agree "$dir/host.golden" "$dir/host.first" 1e-4
}

same_with_team() {
    net=$1 dir=$2
    link "$dir" team o cc "$(bound_of "$net")" -DTEAM || return 1
    "$dir/team" "$(batch_of "$net")" >"$dir/team.out" && cmp "$dir/host.out" "$dir/team.out"
}
