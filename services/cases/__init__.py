"""Supervised cases from registration to closing: what every type has in common (domain.md §4)."""
