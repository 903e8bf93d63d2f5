"""Fakes of the ports, and a server over them that can be looked at."""
