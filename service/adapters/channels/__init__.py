"""Where messages go: one file or folder a kind of channel, under the name that the kind is written by in JSON."""
