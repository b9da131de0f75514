"""Envoy http_filters: those of listeners, in their order, and those of upstream clusters, which run once per attempt."""
