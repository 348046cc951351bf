"""One suite's process management: definition, graph, a service's life, the daemon, record, control, termination."""
