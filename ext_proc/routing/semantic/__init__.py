"""Decides by meaning: sentence embeddings of what agents say of themselves, and of what is asked."""
