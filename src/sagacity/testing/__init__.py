"""What services that use Sagacity can test with: sagas as prose, faults on messaging ports, a deterministic simulator."""

from __future__ import annotations
