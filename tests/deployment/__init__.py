"""docker-compose.yaml, Dockerfiles and Prometheus against their schemas and against the code."""
