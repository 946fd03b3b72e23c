"""The few pages that this part serves itself: start, API documentation, kinds of problems."""

from dataclasses import replace
from pathlib import Path

import flask_swagger_ui
from flask import Blueprint, Response, render_template, send_from_directory

from api.context import reader
from api.problems import status_of
from api.wording import LANGUAGES, texts
from engine import NotFound, Problem

pages = Blueprint("pages", __name__, template_folder="templates")

_SWAGGER = Path(flask_swagger_ui.__file__).parent / "dist"
_SWAGGER_FILES = frozenset(
    {"swagger-ui.css", "swagger-ui-bundle.js", "favicon-16x16.png", "favicon-32x32.png"}
)
_A_DAY_S = 86_400


@pages.get("/")
def start() -> str:
    """Say what this is and how to go on."""
    return render_template("start.html")


@pages.get("/api/v1/docs")
def docs() -> str:
    """Show the documentation of the programming interface."""
    return render_template("docs.html")


@pages.get("/api/v1/docs/<path:name>")
def docs_file(name: str) -> Response:
    """Give a file of the documentation page; all of them are served from here."""
    if name not in _SWAGGER_FILES:
        raise NotFound
    return send_from_directory(_SWAGGER, name, max_age=_A_DAY_S)


@pages.get("/problems/<slug>")
def explain(slug: str) -> str:
    """Explain a kind of problem, in both languages."""
    kinds = {kind.slug: kind for kind in _kinds(Problem)}
    if slug not in kinds or slug not in texts("zh")["problem"]:
        raise NotFound
    kind = kinds[slug]
    here = reader()
    words = [(spoken, replace(here, language=spoken).problem(slug, {})) for spoken in LANGUAGES]
    return render_template(
        "problem.html",
        slug=slug,
        status=status_of(kind),
        meaning=(kind.__doc__ or "").strip().splitlines()[0],
        words=words,
        language=here.language,
    )


def _kinds(kind: type[Problem]) -> list[type[Problem]]:
    below = [found for sub in kind.__subclasses__() for found in _kinds(sub)]
    return [kind, *below]
