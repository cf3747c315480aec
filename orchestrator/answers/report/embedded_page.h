// Texts that were in files when wansweep was built.
#pragma once

namespace wansweep {

extern const char* const page_template;  // page.html, mustache
extern const char* const plot_style;     // style.gp: comes before the commands of each picture

}  // namespace wansweep
