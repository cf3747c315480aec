# Writes OUTPUT, a .cc that holds the page's template and the pictures' style. Run as cmake -D... -P.
file(READ "${SOURCE}/page.html" page)
file(READ "${SOURCE}/style.gp" style)
file(WRITE "${OUTPUT}" "// Generated from page.html and style.gp.
#include \"orchestrator/answers/report/embedded_page.h\"

namespace wansweep {

const char* const page_template = R\"~~(${page})~~\";

const char* const plot_style = R\"~~(${style})~~\";

}  // namespace wansweep
")
