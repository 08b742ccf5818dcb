"""The kinds of channel: each file says how one is configured, and what the product has to know of it."""
