"""Signals: what a conversation itself says about how well it goes, read by fixed rules. Pure, and no model is asked."""
