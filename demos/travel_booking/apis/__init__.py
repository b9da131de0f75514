"""Clients of the three public APIs that the agents ask: Open-Meteo, FlightAware's AeroAPI and Frankfurter."""
