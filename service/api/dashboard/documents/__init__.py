"""Forms that are REST's documents: read by its rules, and shown again with what is wrong beside each value."""
