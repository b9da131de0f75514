"""Decides which models may answer, and in which order."""
