"""The campaign of the whole shop: every service, every server and the reconciler, under faults of all kinds while customers
buy; in the end everything is looked at from outside.

injuries.py   what is done to whom, and when, by a seed. Pure
proxy.py      stands before a server, and delays, holds up, cuts and swallows what passes
disk.py       a small disk for the reconciler's ledger, to be filled up
scene.py      the stack behind its proxies, with the reconciler beside it and customers before it
striking.py   does what is planned, and notes what was done
published.py  what was published, read from the topics, and what `sagacity check` finds in it
told.py       whether each purchase came to one end, and everybody is told the same of it
verdicts.py   whether the reconciler finds what `check` finds, and what really went wrong
campaign.py   all of it together; `python -m tests.chaos.shop --seconds 300 --seed 1`
figures.py    what was done and survived, as a table
"""
