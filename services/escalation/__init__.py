"""The three rounds of inspection and the measures they lead to (domain.md §6.8)."""
