"""Payments: taken and refunded by the saga `purchase` through a payment provider, read by the customers whose they are."""
