"""Findings out: notices routed to channels, and delivered at least once to each."""
