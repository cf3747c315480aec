# cmake -DINPUT= -DOUTPUT= -P embed_kernel_classes.cmake: the classes of kernels as a C++ string.
file(READ ${INPUT} text)
file(WRITE ${OUTPUT} "#include \"orchestrator/imports/embedded_kernel_classes.h\"

namespace wansweep {

const char* const embedded_kernel_classes = R\"wansweep(${text})wansweep\";

}  // namespace wansweep
")
