"""Those who buy: what a customer of the shop does over its API, for whoever lets customers loose on it.

edge.py       one connection to the edge; what is away for a moment is asked again
following.py  a purchase by its server-sent events, to its result, wherever the stream breaks
people.py     accounts and their tokens, the administrator's and customers'
"""
