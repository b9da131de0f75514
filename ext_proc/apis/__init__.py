"""The body formats of each API: accessors over JSON, without conversion."""
