"""The configuration of a worker as frozen values, compiled from FilterConfig."""
