"""Streams that are cut in mid-answer are taken up by another model: what the client has is kept, the rest is woven on."""
