// A run's settings (spec.json) and a model's config.json. Settings that are accepted must read back as the same.
#include "schema/run_settings.h"
#include "schema/setting_fields.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "schema/model_config.h"
#include "schema/setting_fields.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace wansweep;
  const std::string text(fuzz::text_of(data, size));
  fuzz::accept_or_refuse([&] {
    const RunSettings spec = settings_from_json(parse_json_object(text, "input"), "input");
    const RunSettings again = settings_from_json(to_json(spec), "again");
    if (settings_hash(spec) != settings_hash(again)) std::abort();
    validate(spec);
  });
  fuzz::accept_or_refuse([&] {
    const ModelConfig config = parse_model_config(text, "input");
    if (config.layers * block_parameters(config) < 0 || other_parameters(config) < 0) std::abort();
  });
  return 0;
}
