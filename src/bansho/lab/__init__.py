"""Real cluster nodes made of namespaces on one machine: network, power, shared disk."""
