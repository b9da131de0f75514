"""Decisions: which agent answers. Pure, except that the ladder awaits the orchestrator through a port."""
