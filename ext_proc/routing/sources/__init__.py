"""Sources of prices and latencies: catalogues and metrics servers."""
