"""Cost and usage rows, the best-known spend that follows from them, and the rules about late bills."""
