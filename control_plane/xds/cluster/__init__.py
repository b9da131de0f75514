"""Clusters: how upstreams are found, reached, protected, and tried one after another."""
