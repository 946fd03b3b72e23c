"""Histories as data for process mining: logs in open formats, and figures for the heat map."""
