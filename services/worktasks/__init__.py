"""Tasks with a rhythm and targets, and deadlines that a superior names (domain.md §6.4, §6.5)."""
