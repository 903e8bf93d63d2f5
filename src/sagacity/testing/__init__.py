"""What tests of services need: sagas as prose, faults, and the guarantees that adapters are held to."""
