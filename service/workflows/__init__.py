"""One module a use case. Workflows decide when things happen and in which transaction; they know only ports."""
