"""Which of the values that differ between two arms explains the gap in an endpoint."""
