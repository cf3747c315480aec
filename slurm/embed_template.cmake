# cmake -DINPUT= -DOUTPUT= -P embed_template.cmake: the template as a C++ string.
file(READ ${INPUT} text)
file(WRITE ${OUTPUT} "#include \"slurm/embedded_template.h\"

namespace wansweep {

const char* const job_template = R\"wansweep(${text})wansweep\";

}  // namespace wansweep
")
