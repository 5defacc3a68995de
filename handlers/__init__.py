"""The doors: each turns what comes in into a command, or carries out what the outbox owes."""
