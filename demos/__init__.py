"""Runnable examples: the gateway at work, with real agents."""
