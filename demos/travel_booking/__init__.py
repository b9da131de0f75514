"""The Travel Booking Assistant: three agents behind the gateway, and what they need to run without a key or a network."""
