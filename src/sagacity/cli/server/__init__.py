"""What `sagacity serve` is made of.

config.py    the configuration file and the options, as one value
wiring.py    the ledger, the streams, the rounds, alerts and the web, put together
"""
