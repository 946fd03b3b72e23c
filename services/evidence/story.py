"""A bundle's story as a page that needs nothing else, and as PDF/A."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from html import escape

from engine.proof.heads import TreeHead
from services.documents.fonts import FontBook
from services.evidence.telling import CaseStory, Filled

_HEADING = "督办事项存证"
_ABOUT = (
    "本文件由存证包中的事件生成，便于阅读；有证明力的是事件本身。"
    "请用 verify_bundle.py 核验存证包，核验方法见 README.txt。"
)
_STYLE = """
body{font:16px/1.7 "Noto Sans SC","Source Han Sans SC","Microsoft YaHei",SimSun,sans-serif;
max-width:52em;margin:2em auto;padding:0 1em;color:#222}
h1{font-size:1.5em;text-align:center}h2{font-size:1.2em;margin-top:2em;border-bottom:2px solid #b22}
table{border-collapse:collapse;width:100%;margin:.5em 0}td,th{border:1px solid #bbb;
padding:.2em .6em;vertical-align:top;text-align:left}td:first-child{white-space:nowrap}
code{font-size:.85em;word-break:break-all}.small{color:#555;font-size:.9em}
@media print{body{margin:0;max-width:none}tr{break-inside:avoid}}
"""


def html_of(stories: Sequence[CaseStory], head: TreeHead | None, *, redacted: bool) -> bytes:
    """Write the story as one page without scripts, pictures or addresses."""
    parts = [
        '<!DOCTYPE html><html lang="zh"><head><meta charset="utf-8">',
        f"<title>{_HEADING}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{_HEADING}</h1><p class='small'>{_ABOUT}</p>",
        *(f"<p>{escape(line)}</p>" for line in _facts(head, redacted=redacted)),
    ]
    for story in stories:
        parts.extend(_case_html(story))
    parts.append("</body></html>\n")
    return "\n".join(parts).encode()


def _case_html(story: CaseStory) -> Iterator[str]:
    yield f"<h2>{escape(story.title)} {escape(story.case)}</h2>"
    count = f"共 {story.events} 个事件，末个事件"
    yield f"<p class='small'>{count} <code>{escape(story.head)}</code></p>"
    yield "<table><tr><th>时间</th><th>经过</th><th>事件</th></tr>"
    for seq, when, text in story.lines:
        yield f"<tr><td>{escape(when)}</td><td>{escape(text)}</td><td>{seq}</td></tr>"
    yield "</table>"
    for filled in story.filled:
        yield f"<h3>{escape(_title(filled))}</h3><table>"
        for title, value in filled.fields:
            yield f"<tr><td>{escape(title)}</td><td>{escape(value)}</td></tr>"
        yield "</table>"


def pdf_of(
    stories: Sequence[CaseStory], head: TreeHead | None, at: datetime, *, redacted: bool
) -> bytes:
    """Write the story as PDF/A-2b, the same bytes for the same story.

    Parameters
    ----------
    at : what the PDF says about when it was made.
    """
    return _book().pdf("\n".join(_typst(stories, head, redacted=redacted)), at)


@cache
def _book() -> FontBook:
    return FontBook()


def _typst(stories: Sequence[CaseStory], head: TreeHead | None, *, redacted: bool) -> Iterator[str]:
    """Write typst source in code mode alone: no text of a case is ever markup."""
    families = ", ".join(_quoted(f) for f in _book().families("宋体"))
    yield f"#set document(title: {_quoted(_HEADING)})"
    yield f'#set text(font: ({families}), size: 10.5pt, lang: "zh", region: "cn")'
    yield '#set page(paper: "a4", margin: 2.5cm, numbering: "1 / 1")'
    yield "#let small(t) = text(size: 8pt, fill: luma(90), t)"
    yield "#let grid2(..c) = table(columns: (auto, 1fr), stroke: 0.4pt + luma(160), ..c)"
    yield "#let lines(..c) = table(columns: (auto, 1fr, auto), stroke: 0.4pt + luma(160), ..c)"
    yield f'#align(center, text(size: 16pt, weight: "bold", {_quoted(_HEADING)}))'
    yield f"#par(small({_quoted(_ABOUT)}))"
    for line in _facts(head, redacted=redacted):
        yield f"#par({_quoted(line)})"
    for story in stories:
        yield f"#heading(level: 1, {_quoted(f'{story.title} {story.case}')})"
        yield f"#par(small({_quoted(f'共 {story.events} 个事件，末个事件 {story.head}')}))"
        cells = (_quoted(c) for seq, *rest in story.lines for c in (*rest, str(seq)))
        yield f"#lines({', '.join(cells)})"
        for filled in story.filled:
            yield f"#heading(level: 2, {_quoted(_title(filled))})"
            yield f"#grid2({', '.join(_quoted(c) for pair in filled.fields for c in pair)})"


def _facts(head: TreeHead | None, *, redacted: bool) -> Iterator[str]:
    if redacted:
        yield "个人信息已遮盖；遮盖不影响核验。"
    if head is None:
        yield "尚无树头：事件前后相连，但无签名。"
        return
    yield f"核验基准：第 {head.number} 号树头，{head.at}，共 {head.cases} 件。"
    yield f"树头编码：{head.code}"


def _title(filled: Filled) -> str:
    return f"{filled.element}（{filled.who}，{filled.when}，事件 {filled.seq}）"


def _quoted(text: str) -> str:
    plain = "".join(c for c in text if c.isprintable() or c == "\n")
    return json.dumps(plain, ensure_ascii=False)
