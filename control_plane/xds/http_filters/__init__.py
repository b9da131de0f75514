"""Envoy http_filters of listeners, in order, and of upstream clusters, which run once per attempt."""
