"""Decides which agent answers: the orchestrator model, the built-in router, then the default agent."""
