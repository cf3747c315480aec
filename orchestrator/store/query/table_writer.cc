#include "orchestrator/store/query/table_writer.h"

#include <utility>

namespace wansweep {
namespace {

// More than a person looks at, and a few megabytes.
constexpr size_t sample_rows = 10'000;

// An object within a list.
std::string indented(const std::string& object) {
  std::string text = "  ";
  for (const char c : object) text += c == '\n' ? std::string("\n  ") : std::string(1, c);
  return text;
}

}  // namespace

TableWriter::TableWriter(TableFormat format, std::function<void(std::string_view)> out)
    : format_(format), out_(std::move(out)) {}

void TableWriter::columns(std::vector<std::string> names) {
  switch (format_) {
    case TableFormat::text:
      sample_.columns = std::move(names);
      return;
    case TableFormat::csv:
      out_(csv_line({names.begin(), names.end()}));
      return;
    case TableFormat::json:
      names_ = unique_names(names);
      return;
  }
}

void TableWriter::row(std::vector<Cell> row) {
  ++rows_;
  switch (format_) {
    case TableFormat::text:
      if (layout_) return out_(layout_->row(row));
      sample_.rows.push_back(std::move(row));
      if (sample_.rows.size() == sample_rows) lay_out();
      return;
    case TableFormat::csv:
      return out_(csv_line(row));
    case TableFormat::json:
      return out_((rows_ == 1 ? "[\n" : ",\n") + indented(json_object(names_, row)));
  }
}

void TableWriter::finish() {
  switch (format_) {
    case TableFormat::text:
      if (!layout_) lay_out();
      return;
    case TableFormat::csv:
      return;
    case TableFormat::json:
      return out_(rows_ == 0 ? "[]\n" : "\n]\n");
  }
}

void TableWriter::lay_out() {
  layout_.emplace(sample_);
  out_(layout_->header());
  for (const auto& row : sample_.rows) out_(layout_->row(row));
  sample_ = {};
}

}  // namespace wansweep
