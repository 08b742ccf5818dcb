"""The lines of a start, for whoever sits before the terminal."""
