"""Tests that kill the server. `python -m tests.chaos.crashes` finds the tests' own modules by this."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
