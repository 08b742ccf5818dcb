"""What an alert says to people, before any channel's own markup."""
