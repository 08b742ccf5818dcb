"""The hourly detector: one hour of many series against four weeks of hours."""
