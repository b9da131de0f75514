"""Route tables and their retry policies."""
