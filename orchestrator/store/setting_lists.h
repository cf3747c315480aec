// Settings by what they say, as SQL: the one place from which the views know them.
#pragma once

#include <string>

namespace wansweep {

// "('offload'), ('prefetch'), ...", for VALUES: settings that say how weights move, not what is computed.
std::string offload_option_values();

// The same of those that say how ranks are spread: the parallel plan stands for them.
std::string parallel_option_values();

// schema/sql/views.sql with {{offload_options}} and {{parallel_options}} filled in.
std::string filled_views_sql();

}  // namespace wansweep
