// The text of kernel_classes.toml, put into the program when it is built.
#pragma once

namespace wansweep {

extern const char* const embedded_kernel_classes;

}  // namespace wansweep
