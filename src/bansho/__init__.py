"""bansho: an integrated-management manager that outlives its server."""

__version__ = "0.1.0"
