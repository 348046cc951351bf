"""The event: attributes, validation, wire format."""
