"""Resumes streams that are cut off in the middle of an answer on another model, and splices the rest on to what was sent."""
