"""The whole story on one machine: the shop runs, customers buy, faults strike, Sagacity watches, and an audit closes it.

    python -m shop.demo

command.py   the command line
story.py     all of it, from the first server to the last number
opening.py   the stack with the reconciler, the wares and the customers
wares.py     what is sold
crowd.py     the customers: they browse and buy at a given pace
strikes.py   the script of faults, each told as it strikes
watching.py  what the reconciler finds, told as it finds it
truth.py     what really went wrong, by the saboteurs' logs and the databases, and not by any event
audit.py     the closing audit: purchases, customers, databases, findings
"""
