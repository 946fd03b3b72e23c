"""Special inspections: plan, team, findings, conclusion and its review (domain.md §6.7)."""
