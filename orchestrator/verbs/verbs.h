// The verbs of `wansweep`. Each has a file <name>.cc with its options, its help with an example, and a function that
// reads the options and calls the part that does the work. No other code prints to standard output.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace wansweep {

// The action of a verb, called when the command line is read. Returns the exit code.
using Action = std::function<int()>;

// Each adds its verb to `app`, and sets `action` when the user gives the verb.
void add_plan(CLI::App& app, Action& action);
void add_predict(CLI::App& app, Action& action);
void add_probe(CLI::App& app, Action& action);
void add_choose(CLI::App& app, Action& action);
void add_run(CLI::App& app, Action& action);
void add_status(CLI::App& app, Action& action);
void add_gather(CLI::App& app, Action& action);
void add_query(CLI::App& app, Action& action);
void add_generate(CLI::App& app, Action& action);
void add_submit(CLI::App& app, Action& action);
void add_cancel(CLI::App& app, Action& action);
void add_logs(CLI::App& app, Action& action);
void add_cluster(CLI::App& app, Action& action);
void add_export(CLI::App& app, Action& action);
void add_report(CLI::App& app, Action& action);
void add_resolve(CLI::App& app, Action& action);
void add_rerun(CLI::App& app, Action& action);
void add_compare(CLI::App& app, Action& action);
void add_import(CLI::App& app, Action& action);
void add_manual(CLI::App& app, Action& action);  // completion and manual

}  // namespace wansweep
