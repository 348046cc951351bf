"""Pacemaker: the model as crmsh text, and bringing that into a live cluster."""
