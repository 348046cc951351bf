"""The drill on a user's own cluster: announced, harmless faults, from one of its nodes and without the lab's means."""
