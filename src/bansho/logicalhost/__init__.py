"""The logical host: its definition, its places on this node, its lease, its takeover history."""
