"""Values that everything else is made of: money, time, scopes, names, errors."""
