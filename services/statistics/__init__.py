"""Counts of cases by type, status, light and unit."""
