"""The ExternalProcessor service: reads request bodies from Envoy, decides, and answers with the route."""
