"""Everything that must be right on a node before a logical host may run there: one module a subject, one list."""
