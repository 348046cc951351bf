"""Base's services: the event service, which takes events in and never loses one."""
