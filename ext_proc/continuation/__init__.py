"""Resumes streams that break off on another model, and splices the rest to what was sent."""
