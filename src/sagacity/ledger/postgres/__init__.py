"""PostgreSQL as the engine of a history: events in temporary tables, judged there."""
