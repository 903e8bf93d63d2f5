"""The warehouse: ships what was paid for. Nobody tells it to: it hears of payments, and tells of shipments."""
