"""Spark as the engine of a history: events as a view of a session, judged there."""
