"""For tests of services that use Sagacity: sagas as prose, faults on the messaging ports, a deterministic simulator, and the
conformance suite of the ports."""

from __future__ import annotations
