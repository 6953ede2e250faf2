"""What is known of each infant: judging a cry, acts of staff, reports, rebuilding."""
