"""Sessions of users keep their model: how a session is recognised, stored, and when it may change its model."""
