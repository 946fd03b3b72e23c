"""What goes wrong in a demonstration."""


class PlanFailed(Exception):
    """Raised when somebody's plan couldn't be carried out; says what, in which case, and why."""
