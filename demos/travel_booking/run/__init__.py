"""Runs the whole demo on one machine: servers, gateway, six questions, and everything down again."""
