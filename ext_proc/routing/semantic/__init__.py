"""Semantic routing: compares sentence embeddings of descriptions and questions."""
