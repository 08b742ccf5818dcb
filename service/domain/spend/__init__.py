"""Cost and usage rows, and the best-known spend that follows from them."""
