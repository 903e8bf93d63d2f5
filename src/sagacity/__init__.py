"""Sagacity makes distributed workflows happen, and proves that they did."""
