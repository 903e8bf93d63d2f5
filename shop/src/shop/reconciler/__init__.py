"""Sagacity beside the shop: `sagacity serve`, configured by environment variables as the shop's services are."""
