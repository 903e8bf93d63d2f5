"""For tests of services that use Sagacity: sagas as prose, faults on the messaging ports, a deterministic simulator."""

from __future__ import annotations
