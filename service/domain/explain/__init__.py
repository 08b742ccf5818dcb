"""Why something fired or did not at an instant."""
