"""Points of units: entries that point to their cause, appeals, reversals (domain.md §7)."""
