"""The command line: one file a command group. stdout is for results, stderr for talk."""
