"""The doors: each turns what comes in (a command line, a due timer, a message) into a command, and carries notices out."""
