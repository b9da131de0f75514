"""Translation between LLM APIs: pure, pairwise, lossless where the target has a place for a thing.

`registry.translation()` is the way in; `translation.py` says what comes back.
"""
