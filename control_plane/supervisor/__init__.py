"""Runs the gateway on one machine: control plane, ext_proc and Envoy as child processes, started, watched, drained.

One supervisor per run dir. Everything that another `plano` command wants to know of it lies in files there.
"""
