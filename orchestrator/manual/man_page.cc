#include "orchestrator/manual/man_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/exit_codes.h"
#include "schema/version.h"

namespace wansweep {
namespace {

// Escapes text for man(7): a line must not begin with a control character, and a minus must not become a hyphen.
std::string plain(std::string_view text) {
  std::string shown;
  for (const char c : text) {
    if (c == '\\') {
      shown += "\\e";
    } else if (c == '-') {
      shown += "\\-";
    } else if ((c == '.' || c == '\'') && (shown.empty() || shown.back() == '\n')) {
      shown += std::string("\\&") + c;
    } else {
      shown += c;
    }
  }
  return shown;
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text;
}

std::string names_of(const OptionDescription& option) {
  std::string names;
  for (const std::string& name : option.names) {
    names += fmt::format("{}\\fB{}\\fR", names.empty() ? "" : ", ", plain(name));
  }
  return option.takes_value && !option.by_position ? names + " \\fIVALUE\\fR" : names;
}

std::string synopsis_of(const CommandDescription& command) {
  std::string text = fmt::format(".B {}\n", plain(command.name));
  for (const OptionDescription& option : command.options) {
    if (option.by_position)
      text += fmt::format("{}\n", option.required ? plain(option.names[0]) : "[" + plain(option.names[0]) + "]");
  }
  const bool any = std::any_of(command.options.begin(), command.options.end(),
                               [](const OptionDescription& option) { return !option.by_position; });
  return text + (any ? "[\\fIoptions\\fR]\n" : "");
}

std::string options_of(const CommandDescription& command) {
  std::string text;
  for (const OptionDescription& option : command.options) {
    text += fmt::format(".TP\n{}\n{}{}\n", names_of(option), plain(option.help), option.required ? " (required)" : "");
  }
  return text;
}

std::string footer_of(const CommandDescription& command) {
  return command.footer.empty() ? "" : fmt::format(".PP\n.nf\n{}\n.fi\n", plain(command.footer));
}

std::string sections_of(const CommandDescription& command) {
  std::string text;
  for (const CommandDescription& verb : command.verbs) {
    text += fmt::format(".SS {}\n{}.\n.PP\n{}{}{}", plain(verb.name), plain(verb.help), synopsis_of(verb),
                        options_of(verb), footer_of(verb));
    text += sections_of(verb);
  }
  return text;
}

std::string exit_codes() {
  std::string text;
  for (const ExitCodeInfo& info : exit_code_table) {
    text += fmt::format(".TP\n.B {} {}\n{}\n", static_cast<int>(info.code), info.name, plain(info.meaning));
  }
  return text;
}

}  // namespace

std::string man_page(const CommandDescription& program) {
  return fmt::format(
      ".TH {} 1 \"\" \"{} {}\" \"User Commands\"\n.SH NAME\n{} \\- {}\n.SH SYNOPSIS\n.B {}\n\\fIVERB\\fR ...\n"
      ".SH OPTIONS\n{}{}.SH VERBS\n{}.SH EXIT STATUS\n{}.SH ENVIRONMENT\n.TP\n.B WANSWEEP_SHARE\n"
      "the folder of site profiles, sweeps and questions (default: share/wansweep beside the program)\n",
      upper(program.name), program.name, version, program.name, plain(program.help), program.name, options_of(program),
      footer_of(program), sections_of(program), exit_codes());
}

}  // namespace wansweep
