"""Several agents answer one request: calls the agents, and merges their answers to one."""
