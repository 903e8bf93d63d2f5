"""A shop of services whose purchases are sagas, on Sagacity."""
