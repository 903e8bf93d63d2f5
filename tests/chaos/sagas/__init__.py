"""The campaign of sagas: real processes, a real PostgreSQL and a real broker, all of them killed at random.

shop.py        the saga, what each of them is to suffer, and the handlers of three participants
role.py        what one process does: orchestrator, relay, participant, starter
fleet.py       the processes and servers: started, killed, started again
evidence.py    what is left in the end: states, effects, and every message, read from outside
account.py     what of that is wrong
audit.py       faults planted in the evidence, and what `sagacity check` finds of them
campaign.py    all of it together; `python -m tests.chaos.sagas --sagas 10000 --seed 1`
"""
