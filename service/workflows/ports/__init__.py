"""The workflows' needs from the world outside, as Protocols that the adapters implement."""
