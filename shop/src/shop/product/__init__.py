"""The product service: what can be bought, at what price, and how much of it is left.

domain.py          what is wanted, what there is, and what follows from both; pure
store.py           products in PostgreSQL; categories.py: categories; reservations.py: what purchases have taken
catalogue.py       products as they are read by everybody: through the cache
handlers.py        the participant of the saga `purchase`
http.py, category_http.py, grpc.py
settings.py, wiring.py
"""

from __future__ import annotations

__all__: list[str] = []
