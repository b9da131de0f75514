"""Runs the gateway on one machine: control plane, ext_proc and Envoy as child processes, started, watched, drained.

One supervisor per run dir. Other `plano` commands read its state from files there.
"""
