"""Scenarios: a case told step by step in YAML beside its diagram, played and compared."""
