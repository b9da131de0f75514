"""An OpenAI-compatible server for offline runs of the demo and its tests. Not a language model, and no part of the gateway.

It reads a conversation with a few plain rules (`extraction`) and puts given data into sentences (`answers`).
"""
