"""What runs a graph: the runner and its watchdog, worker processes, progress."""
