"""Closed cases of long ago, as compressed files that stay readable and verifiable."""
