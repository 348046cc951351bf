"""The event: its members and limits (`event`), what goes over the wire about events (`wire`), what can be wrong."""
