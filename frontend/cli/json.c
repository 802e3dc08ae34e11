/* What jansson leaves to its users. */
#include "frontend/cli/json.h"

#include "runtime/shown.h"

#include <math.h>
#include <string.h>

enum { DIGITS = 9 };

json_t *json_of_real(double x) {
    return isfinite(x) ? json_real(x) : json_null();
}

json_t *json_of_text(arena *a, const char *s) {
    json_t *j = json_string(s);
    return j ? j : json_string(shown(a, s, strlen(s)));
}

int cli_json(cli *c, json_t *j) {
    bool good = j && json_dumpf(j, stdout, JSON_REAL_PRECISION(DIGITS)) == 0;
    putchar('\n');
    json_decref(j);
    if (!j) diag_add(c->diags, DIAG_ERROR, (span){0}, "out of memory: the result does not fit as JSON");
    return good ? CLI_OK : CLI_BAD_INPUT;
}
