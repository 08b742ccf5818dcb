"""The command `tocsin`; `service.cli.app` begins it. Nothing is imported here: parts of it are used alone."""
