"""The office's own rhythm: monthly urging, quarterly dispatch (domain.md §5)."""
