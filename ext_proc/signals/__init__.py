"""Signals: the quality of a conversation, derived from its text by fixed rules. Pure, without a model."""
