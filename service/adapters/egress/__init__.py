"""The egress guard: addresses that people configure may not lead into private networks, unless these are listed."""
