/* Finds LLVM's functions in its library, once a process. */
#include "backends/llvm/library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

llvm_library netc_llvm;

/* All of LLVM's machines, since what it knows of them must not change while other threads compile. */
static const char *const machines[] = {
#define LLVM_TARGET(name) #name,
#include <llvm/Config/Targets.def>
};

/* Makes one machine known; parts that it lacks (some have no AsmPrinter) are passed over. */
static void start_machine(void *library, const char *name) {
    static const char *const parts[] = {"TargetInfo", "Target", "TargetMC", "AsmPrinter"};
    for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) {
        char symbol[96];
        void (*start)(void) = NULL;
        snprintf(symbol, sizeof symbol, "LLVMInitialize%s%s", name, parts[k]);
        void *at = dlsym(library, symbol);
        memcpy(&start, &at, sizeof at); /* ISO C has no cast from data to functions */
        if (start) start();
    }
}

/* NULL, or what is wrong. */
static const char *fill_table(void *library) {
    void *at;
#define LLVM_CALL(name)                                                                                      \
    if (!(at = dlsym(library, #name))) return "it lacks " #name;                                             \
    memcpy(&netc_llvm.name##_, &at, sizeof at);
    LLVM_CALLS(LLVM_CALL)
    return NULL;
}

static char problem[256]; /* "": it is open */

static void open_once(void) {
    void *library = dlopen(NETC_LLVM_LIBRARY, RTLD_LAZY | RTLD_LOCAL);
    const char *why = library ? fill_table(library) : dlerror();
    if (why) snprintf(problem, sizeof problem, "%s", why);
    for (size_t k = 0; !why && k < sizeof machines / sizeof *machines; k++)
        start_machine(library, machines[k]);
}

bool library_open(diags *d) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, open_once);
    if (*problem)
        diag_add(
            d, DIAG_ERROR, (span){0},
            "LLVM's library cannot be loaded (%s); install Debian's libllvm19 or take --backend c or interp",
            problem);
    return !*problem;
}
