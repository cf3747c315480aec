// Lists of settings by their role, as SQL, for the views.
#pragma once

#include <string>

namespace wansweep {

// "('offload'), ('prefetch'), ...", for VALUES: settings that say how weights move, not what is computed.
std::string offload_option_values();

// The same for settings that say how ranks are spread; in views the parallel plan replaces them.
std::string parallel_option_values();

// schema/sql/views.sql with {{offload_options}} and {{parallel_options}} filled in.
std::string filled_views_sql();

}  // namespace wansweep
