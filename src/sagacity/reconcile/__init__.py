"""Drive a ledger over history, and later live."""
