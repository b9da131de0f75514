"""Decides which agent answers: the orchestrator, the semantic rung, the built-in router, then the default agent."""
