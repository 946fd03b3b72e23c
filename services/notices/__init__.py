"""What people are told: one notice per person and cause, never twice."""
