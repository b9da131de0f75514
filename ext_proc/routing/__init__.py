"""Decisions about agents and models. Pure, except that the ladder awaits models through ports."""
