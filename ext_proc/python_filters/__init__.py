"""Filters that are Python functions of the user: a process of each worker that runs them, and what goes over its pipes."""
