"""A shop's order logs, generated, with faults planted in them and the answers known."""
