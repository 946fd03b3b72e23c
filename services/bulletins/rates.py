"""How a rate is written: never without its count."""

from services.statistics.figures import Figure


def written(rate: Figure) -> str:
    """Write a rate with its count beside it: ``98.5% （197/200）``, or a dash of nothing."""
    # The space lets a narrow cell break the line there.
    return "—" if rate.percent is None else f"{rate.percent}% （{rate.count}/{rate.of}）"
