#include "orchestrator/manual/completion.h"

#include <fmt/format.h>

#include "base/shell_quote.h"

namespace wansweep {
namespace {

// "cluster check" of "wansweep cluster check"; empty for the program itself.
std::string words_of(const CommandDescription& command) {
  const size_t space = command.name.find(' ');
  return space == std::string::npos ? "" : command.name.substr(space + 1);
}

std::string last_word(const std::string& name) { return name.substr(name.rfind(' ') + 1); }

// --- bash

std::string bash_words(const CommandDescription& command) {
  std::string words;
  for (const CommandDescription& verb : command.verbs) words += last_word(verb.name) + ' ';
  for (const OptionDescription& option : command.options) {
    if (!option.by_position) words += option.names.back() + ' ';
  }
  if (!words.empty()) words.pop_back();
  return words;
}

void add_bash(const CommandDescription& command, std::string& verbs, std::string& words) {
  words += fmt::format("    {}) words={} ;;\n", shell_quote(words_of(command)), shell_quote(bash_words(command)));
  for (const CommandDescription& verb : command.verbs) {
    verbs += fmt::format("      {}) verb={} ;;\n",
                         shell_quote(fmt::format("{}|{}", words_of(command), last_word(verb.name))),
                         shell_quote(words_of(verb)));
    add_bash(verb, verbs, words);
  }
}

std::string for_bash(const CommandDescription& program) {
  std::string verbs, words;
  add_bash(program, verbs, words);
  return fmt::format(R"(# bash completion of {0}; made by `{0} completion bash`.
_{0}() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} verb= words= i
  for ((i = 1; i < COMP_CWORD; ++i)); do
    case "$verb|${{COMP_WORDS[i]}}" in
{1}    esac
  done
  case $verb in
{2}  esac
  COMPREPLY=()
  if [[ $word == -* || $words != -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
  fi
  if [[ $word != -* && ${{#COMPREPLY[@]}} -eq 0 ]]; then
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
  fi
}}
complete -o filenames -F _{0} {0}
)",
                     program.name, verbs, words);
}

// --- zsh

// Escapes text inside [...] or after a colon of _arguments and _describe.
std::string zsh_text(const std::string& text) {
  std::string shown;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') shown += '\\';
    shown += c == '\n' ? ' ' : c;
  }
  return shown;
}

std::string zsh_arguments(const CommandDescription& command) {
  std::string arguments;
  for (const OptionDescription& option : command.options) {
    if (option.by_position) continue;
    for (const std::string& name : option.names) {
      arguments += ' ' + shell_quote(fmt::format("{}[{}]{}", name, zsh_text(option.help),
                                                 option.takes_value ? ":value:_files" : ""));
    }
  }
  return arguments;
}

std::string zsh_function(const CommandDescription& command) {
  std::string name = "_" + command.name;
  for (char& c : name) c = c == ' ' || c == '-' ? '_' : c;
  if (command.verbs.empty()) {
    return fmt::format("{}() {{\n  _arguments{} '*:file:_files'\n}}\n", name, zsh_arguments(command));
  }
  std::string text, verbs, cases;
  for (const CommandDescription& verb : command.verbs) {
    const std::string word = last_word(verb.name);
    verbs += ' ' + shell_quote(fmt::format("{}:{}", word, zsh_text(verb.help)));
    cases += fmt::format("        {}) {}_{} ;;\n", word, name, word);
    text += zsh_function(verb);
  }
  return text + fmt::format(R"({0}() {{
  local context state line
  local -a verbs=({1})
  _arguments -C{2} '1:verb:->verb' '*::argument:->arguments'
  case $state in
    verb) _describe verb verbs ;;
    arguments)
      case $line[1] in
{3}      esac
      ;;
  esac
}}
)",
                            name, verbs, zsh_arguments(command), cases);
}

std::string for_zsh(const CommandDescription& program) {
  return fmt::format("#compdef {0}\n# zsh completion of {0}; made by `{0} completion zsh`.\n{1}_{0} \"$@\"\n",
                     program.name, zsh_function(program));
}

}  // namespace

std::string completion_for(Shell shell, const CommandDescription& program) {
  switch (shell) {
    case Shell::bash:
      return for_bash(program);
    case Shell::zsh:
      return for_zsh(program);
  }
  return {};
}

}  // namespace wansweep
