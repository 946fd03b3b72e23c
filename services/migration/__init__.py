"""Running cases moved to a newer version of their definition: shown first, then recorded."""
