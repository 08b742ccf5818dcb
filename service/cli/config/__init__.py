"""Configuration as code: a file is compared with a server, and applied to it."""
