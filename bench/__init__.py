"""Benchmarks, side by side with what else would do the job: `python -m bench` prints tables."""
