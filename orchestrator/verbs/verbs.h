// The verbs of `wansweep`, each in verb_<name>.cc: its options, its help with an example, and what it does.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace wansweep {

// What a verb does once the command line is read; the result is the exit code.
using Action = std::function<int()>;

// Adds the verb to `app`; when the user asks for it, `action` is set to it.
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
