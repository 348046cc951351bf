"""The IM database: PostgreSQL under process management, its state (CONTRACT 3.3), schema and migrations."""
