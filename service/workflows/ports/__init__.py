"""What the workflows need from the world outside, as Protocols that the adapters implement."""
