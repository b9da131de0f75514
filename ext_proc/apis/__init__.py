"""What bodies of each client API look like: accessors over JSON, no conversion."""
