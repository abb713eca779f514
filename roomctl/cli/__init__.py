"""The command line `roomctl`: runs a room, makes its key, checks its configuration, tries its devices.

main.py     the command and its exit codes      devices.py  discover, probe, watch, send, selftest
targets.py  which devices a command is about    trial.py    devices run for as long as a command needs them
selftest.py the report to send back             show.py     tables and JSON
check.py    a configuration, then its devices   lines.py, mistakes.py  where and what is wrong in a file
complaints.py  what does not fit, in plain words   files.py    files that settings name
hidden.py   secrets that no report holds
"""
