"""Compliance: looks at what was paid. Nobody tells it to: it hears of payments, and tells of its checks."""
