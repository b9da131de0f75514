"""The decide stage: checks, filters and routes a request before its first attempt. Knows no transport."""
