"""Where cost comes from: sources, polls, prices."""
