"""`python -m shop.local`."""

import sys

from shop.local.command import main

sys.exit(main())
