"""The service itself: health, metrics, the calendar, and the clock of tests."""

from time import monotonic
from typing import Any, cast

from flask import Response, current_app
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client import generate_latest as as_text

from api.context import now, office, reading
from api.openapi import Noun
from api.problems import TestClockOff
from api.service_schemas import ClockIn, ClockOut, HealthOut
from api.worker import Sweeper
from engine import SetClock
from engine.records import Json
from services.audit.queries import count_waits

service = Noun("service", __name__, "Health, metrics, calendar.")

YEARS = range(1990, 2100)


class Metrics:
    """What Prometheus reads; one registry per application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "duban_http_requests",
            "Requests answered",
            ["method", "endpoint", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "duban_http_request_seconds",
            "Time to answer",
            ["endpoint"],
            registry=self.registry,
        )
        self.waits = Gauge(
            "duban_waits", "Due timers, waiting jobs, incidents", ["kind"], registry=self.registry
        )

    def answered(self, method: str, endpoint: str, status: int, seconds: float) -> None:
        """Count a request."""
        self.requests.labels(method, endpoint, str(status)).inc()
        self.seconds.labels(endpoint).observe(seconds)


@service.route("/health", methods=["GET"])
@service.doc(security=[])
@service.response(200, HealthOut)
def health() -> Any:  # noqa: ANN401 -- with or without a status of its own
    """Tell whether the service works."""
    try:
        with reading() as transaction:
            waits = count_waits(transaction.connection, now())
        due = office().store.next_due()
    except Exception:
        return {"status": "degraded", "now": now(), "database": "away", "worker": {}}, 503
    last = sweeper().last_sweep
    seen = {
        "lag_s": 0.0 if due is None else max(0.0, (now() - due).total_seconds()),
        "seconds_since_sweep": None if last is None else round(monotonic() - last, 1),
    }
    return {"status": "ok", "now": now(), "database": "ok", "worker": {**waits, **seen}}


@service.route("/metrics", methods=["GET"])
@service.doc(security=[])
@service.response(200, {"type": "string"}, content_type="text/plain")
def metrics() -> Response:
    """Give figures for Prometheus."""
    kept = cast("Metrics", current_app.extensions["duban-metrics"])
    with reading() as transaction:
        for kind, count in count_waits(transaction.connection, now()).items():
            kept.waits.labels(kind).set(count)
    return Response(as_text(kept.registry), content_type=CONTENT_TYPE_LATEST)


@service.route("/test/clock", methods=["PUT"])
@service.doc(security=[])
@service.arguments(ClockIn)
@service.response(200, ClockOut)
def set_clock(body: dict[str, Json]) -> dict[str, Json]:
    """Put the clock to an instant and let happen what is due then; only with a test clock."""
    clock = office().clock
    if not isinstance(clock, SetClock):
        raise TestClockOff
    clock.set(body["now"])
    swept = sweeper().sweep_until_quiet()
    return {"now": clock.now(), "timers_fired": swept.timers, "jobs_delivered": swept.jobs}


def sweeper() -> Sweeper:
    """Give what sweeps this process's installation."""
    return cast("Sweeper", current_app.extensions["duban-sweeper"])
