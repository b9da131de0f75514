"""What a worker follows: one configuration as frozen values, compiled from FilterConfig."""
