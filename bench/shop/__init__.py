"""The whole shop under load, and under kills: `python -m bench.shop`.

planned.py    what is bought: good purchases, and such as must fail, each with how it must end. Pure
scene.py      the stack, its customers, and a round's wares
buyer.py      places one purchase after the other, and follows each to its result
fire.py       kills every part of the stack while purchases are under way
settled.py    waits until nothing is under way any more
agreement.py  holds the databases against each other, and against what the buyers were told
changes.py    how long until every replica tells of a change
hops.py       where the time of a purchase goes
others.py     how much of the machine others used meanwhile
figures.py    rounds, as columns of a table
course.py     all of it: a round in which one buys at a time, one with many at once, one of these under kills
"""
