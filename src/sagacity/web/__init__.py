"""The HTTP side of `sagacity serve`: API, ingest, pages, server-sent events, metrics."""
