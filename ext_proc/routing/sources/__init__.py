"""Prices and latencies of models, as catalogues and metrics servers answer them."""
