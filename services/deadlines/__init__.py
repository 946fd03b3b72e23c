"""When things are due: periods, working days, lights and extensions (domain.md §5)."""
