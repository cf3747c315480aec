-- To version 9: rates that the events do not tell are null. upgrade_sums.cc makes the rates anew afterwards, from the events.

PRAGMA user_version = 9;
