"""The Claude Usage and Cost Admin API: where cost comes from."""
