"""Several agents answer one request: who is called when, and how their answers become one well-formed answer."""
