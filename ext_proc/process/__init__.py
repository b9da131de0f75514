"""The processes of ext_proc: a master that starts workers, watches them and restarts those that die."""
