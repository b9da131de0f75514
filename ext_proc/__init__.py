"""The ExternalProcessor service: reads request bodies that Envoy hands over, decides, and answers with the route to take."""
