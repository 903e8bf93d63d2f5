"""ClickHouse as the engine of a history: in this process (chDB)."""
