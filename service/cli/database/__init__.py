"""A database that does not answer: waited for at a start, and given up in the middle of a command."""
