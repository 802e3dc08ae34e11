/* "Did you mean": the edit distance of two names, in which swapping two neighbours counts once. */
#include "ir/base/diag.h"

#include <string.h>

enum { LONGEST = 64 };

static int least(int a, int b) {
    return a < b ? a : b;
}

/* Letters that differ in case only count as equal: "ReLU" means "relu". */
static bool same(char a, char b) {
    if (a >= 'A' && a <= 'Z') a = (char)(a - 'A' + 'a');
    if (b >= 'A' && b <= 'Z') b = (char)(b - 'A' + 'a');
    return a == b;
}

/* Damerau's distance, each letter moved at most once. */
static int distance(const char *a, int n, const char *b, int m) {
    int row[LONGEST + 1][LONGEST + 1];
    for (int j = 0; j <= m; j++) row[0][j] = j;
    for (int i = 1; i <= n; i++) {
        row[i][0] = i;
        for (int j = 1; j <= m; j++) {
            int change = row[i - 1][j - 1] + !same(a[i - 1], b[j - 1]);
            row[i][j] = least(change, least(row[i - 1][j], row[i][j - 1]) + 1);
            if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
                row[i][j] = least(row[i][j], row[i - 2][j - 2] + 1);
        }
    }
    return row[n][m];
}

const char *nearest_name(const char *name, const char *const *candidates, int count) {
    size_t n = strlen(name);
    if (n == 0 || n > LONGEST) return NULL;
    int bound = n / 3 > 1 ? (int)(n / 3) : 1, best = bound + 1;
    if (best > (int)n) best = (int)n; /* at least one letter must be shared */
    const char *nearest = NULL;
    for (int i = 0; i < count; i++) {
        size_t m = candidates[i] ? strlen(candidates[i]) : 0;
        if (m == 0 || m > LONGEST) continue;
        int d = distance(name, (int)n, candidates[i], (int)m);
        if (d < best) best = d, nearest = candidates[i];
    }
    return nearest;
}
