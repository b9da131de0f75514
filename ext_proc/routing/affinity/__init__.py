"""Session affinity: how sessions are identified and stored, and when they may change their model."""
