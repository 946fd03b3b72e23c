"""Who may act: units, users, roles, absences, tokens and sessions (domain.md §2)."""
