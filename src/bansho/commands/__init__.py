"""The contract's commands (CONTRACT 3): one module a command, each importing only what it needs."""
