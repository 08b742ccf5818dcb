"""The daily detector: one UTC day of many series against the same weekdays before it."""
