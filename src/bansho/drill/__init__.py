"""Traffic, faults, audits and reports."""
