"""Metrics and logs of a worker. Only the shell imports it; the core returns facts."""
