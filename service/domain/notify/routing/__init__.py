"""Where an alert goes, and what holds it back: labels, matchers, routes, silences, mute times."""
