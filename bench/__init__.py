"""Measures of this machine, each a ratio: ours divided by a bare version of the same work."""
