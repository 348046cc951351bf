"""Manager's services: event base and event console."""
