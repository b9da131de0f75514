"""The third stage: each attempt at an upstream gets its own request, and its answer is read before the client sees it."""
