"""`python -m shop.demo`"""

from __future__ import annotations

import sys

from shop.demo.command import main

if __name__ == "__main__":
    sys.exit(main())
