"""Stand-ins for what the product talks to: other people's servers, the clock, the ports that leave the process."""
