"""Runs the whole demo on one machine: servers, gateway, five questions, and everything down again."""
