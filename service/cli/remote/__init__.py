"""Commands that speak to a running server over REST: they need an address and a token, and no database."""
