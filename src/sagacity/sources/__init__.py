"""Events in: where raw records lie, and how they are handed to a ledger."""
