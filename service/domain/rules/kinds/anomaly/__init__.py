"""`anomaly`: a day or an hour is unlike what the scope usually spends."""
