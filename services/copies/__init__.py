"""Copies of a whole installation, and how one is put in place again."""
