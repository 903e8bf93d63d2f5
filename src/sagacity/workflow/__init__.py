"""What should happen: the workflow's model, its language, its checks. Pure: no clock, no I/O, no drivers."""
