"""What /metrics shows: every series, of whom, and from when to when."""
