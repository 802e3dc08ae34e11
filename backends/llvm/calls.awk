# Names of LLVM's functions, one a line, become the table of them (library.h).
{ name[NR] = $1 }
END {
    print "/* Made from the calls in backends/llvm. */\ntypedef struct llvm_library {"
    for (k = 1; k <= NR; k++) print "    __typeof__(" name[k] ") *" name[k] "_;"
    print "} llvm_library;\nextern llvm_library netc_llvm;\n#define LLVM_CALLS(CALL) \\"
    for (k = 1; k <= NR; k++) print "    CALL(" name[k] ")" (k < NR ? " \\" : "")
    for (k = 1; k <= NR; k++) print "#define " name[k] " (*netc_llvm." name[k] "_)"
}
