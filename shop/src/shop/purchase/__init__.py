"""Purchases: takes what customers ask for, has the saga started, and tells how it goes."""
