"""A whole system of sagas in one process and without a clock: one seed is one schedule of everything that can happen.

The orchestrator decides with the real `sagacity.saga.decide`, participants rule with the real `sagacity.saga.barrier`;
stores, outboxes, relays and the broker are models that keep the promises of the real ones, and no more.
"""

from __future__ import annotations
