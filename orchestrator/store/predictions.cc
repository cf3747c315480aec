#include "orchestrator/store/predictions.h"

#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>

#include "orchestrator/predict/prediction_record.h"
#include "orchestrator/store/bind.h"

namespace wansweep {
namespace {

void write_record(Store& store, int64_t sweep, const PredictionRecord& record) {
  SQLite::Statement clear(store.db, "DELETE FROM prediction WHERE sweep_id = ? AND machine_digest = ?");
  execute(clear, sweep, record.machine_digest);
  SQLite::Statement insert(store.db, "INSERT OR REPLACE INTO prediction VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  const auto add = [&](const RecordedPrediction& of, const std::string& quantity, const std::string& unit,
                       const Estimate& e) {
    execute(insert, sweep, of.config, record.machine_digest, quantity, unit, e.value, e.low, e.high, record.machine,
            record.machine_source, record.made_at, record.wansweep);
  };
  for (const RecordedPrediction& each : record.predictions) {
    for (const Quantity quantity : values_of<Quantity>()) {
      add(each, std::string(name_of(quantity)), "s", each.seconds[static_cast<size_t>(quantity)]);
    }
    const auto exact = [](int64_t bytes) {
      const auto value = static_cast<double>(bytes);
      return Estimate{value, value, value};
    };
    add(each, "device_memory", "bytes", exact(each.device_bytes));
    add(each, "host_memory", "bytes", exact(each.host_bytes));
  }
}

}  // namespace

void gather_predictions(Store& store, const std::string& directory, std::vector<std::string>& problems) {
  const std::vector<PredictionRecord> records = read_predictions(directory, problems);
  if (records.empty()) return;
  SQLite::Transaction transaction(store.db, SQLite::TransactionBehavior::IMMEDIATE);
  SQLite::Statement find(store.db, "SELECT id FROM sweep WHERE directory = ?");
  find.bind(1, directory);
  if (!find.executeStep()) return;
  const int64_t sweep = find.getColumn(0).getInt64();
  find.reset();
  for (const PredictionRecord& record : records) write_record(store, sweep, record);
  transaction.commit();
}

}  // namespace wansweep
