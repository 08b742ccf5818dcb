"""The options of the commands that speak to a server. `service/cli/remote/` carries them out."""
