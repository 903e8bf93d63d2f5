"""Orders: written and cancelled by the saga `purchase`, read by the customers whose they are."""
