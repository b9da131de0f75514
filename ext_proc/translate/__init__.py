"""Translation between LLM APIs: pure, pairwise, and lossless if the target API has the needed fields.

The entry point is `registry.translation()`, which returns a `translation.Translation`.
"""
