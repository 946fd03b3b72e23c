"""Messages of notices and digests, as text, as HTML for a phone, as JSON for a machine."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from html import escape
from zoneinfo import ZoneInfo

from engine.records import Json, instant_text
from services.notices.words import Language, kind_word, when, word

_COLORS = {"red": "#c00000", "yellow": "#b36b00", "open": "#1f5fa8", "": "#333333"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is sent: a mail with both parts, or a body for a machine."""

    subject: str = ""
    text: str = ""
    html: str = ""
    body: str = ""

    def kept(self) -> str:
        """Give it as it is kept until it was sent."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def read(cls, kept: str) -> "Message":
        """Read what `kept` gave."""
        return cls(**json.loads(kept))


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A notice about a case."""

    case: str
    number: str
    title: str
    kind: str
    deadline: datetime | None
    at: datetime


def mail_of(told: Told, language: Language, zone: ZoneInfo, address: str) -> Message:
    """Write the mail of a notice.

    Parameters
    ----------
    address : where the pages are, such as ``https://duban.example.gov.cn``; empty leaves out links.
    """
    kind = kind_word(told.kind, language)
    due = word("none", language) if told.deadline is None else when(told.deadline, language, zone)
    facts = [
        (word("number", language), told.number),
        (word("title", language), told.title),
        (word("deadline", language), due),
    ]
    link = _link(address, told.case)
    lines = [kind, "", *(f"{name}: {value}" for name, value in facts), *filter(None, ["", link])]
    rows = "".join(
        f"<p style='margin:4px 0'><span style='color:#666'>{escape(name)}</span><br>"
        f"{escape(value)}</p>"
        for name, value in facts
    )
    return Message(
        subject=_subject(f"【{word('system', language)}】{kind}：{told.number} {told.title}"),
        text="\n".join(lines) + "\n",
        html=_page(kind, rows + _button(link, word("open_case", language)), language),
    )


def payload_of(told: Told, delivery: str, user: str) -> Message:
    """Write a notice for a machine."""
    return Message(
        body=_json(
            {
                "id": delivery,
                "type": "notice",
                "kind": told.kind,
                "case": told.case,
                "number": told.number,
                "title": told.title,
                "deadline": None if told.deadline is None else instant_text(told.deadline),
                "at": instant_text(told.at),
                "user": user,
            }
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A line of a digest's list; `case` is empty for what is no case."""

    case: str
    text: str
    note: str
    light: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """What somebody is told of a day or a week: `counts` by name, lists with how many more."""

    kind: str
    as_of: datetime
    counts: tuple[tuple[str, int], ...]
    lists: tuple[tuple[str, tuple[Item, ...], int], ...]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to tell."""
        return not any(count for _, count in self.counts) and not any(
            items for _, items, _ in self.lists
        )


def digest_mail(found: Digest, language: Language, zone: ZoneInfo, address: str) -> Message:
    """Write a digest: one column, large letters, counts first, so that it reads on a phone."""
    title = word(found.kind, language)
    stamp = when(found.as_of, language, zone)
    text = [title, stamp, ""]
    text += [f"{word(name, language)}: {count}" for name, count in found.counts]
    parts = [_tiles(found.counts, language)]
    for name, items, more in found.lists:
        if not items:
            continue
        heading = word(name, language)
        text += ["", heading, *(f"- {one.text} ({one.note})" for one in items)]
        parts.append(f"<h2 style='font-size:18px;margin:20px 0 6px'>{escape(heading)}</h2>")
        parts += [_item(one, address) for one in items]
        if more:
            told = word("more", language, n=more)
            text.append(told)
            parts.append(f"<p style='color:#666;margin:4px 0'>{escape(told)}</p>")
    text += ["", word("settings", language)]
    stamp_line = f"<p style='color:#666;margin:0 0 10px'>{escape(stamp)}</p>"
    return Message(
        subject=_subject(f"【{word('system', language)}】{title} {stamp}"),
        text="\n".join(text) + "\n",
        html=_page(title, stamp_line + "".join(parts) + _foot(language), language),
    )


def digest_payload(found: Digest, delivery: str, user: str) -> Message:
    """Write a digest for a machine."""
    lists: dict[str, Json] = {
        name: {"items": [asdict(one) for one in items], "more": more}
        for name, items, more in found.lists
    }
    return Message(
        body=_json(
            {
                "id": delivery,
                "type": "digest",
                "kind": found.kind,
                "as_of": instant_text(found.as_of),
                "counts": dict(found.counts),
                "lists": lists,
                "user": user,
            }
        )
    )


def _tiles(counts: Sequence[tuple[str, int]], language: Language) -> str:
    cells = "".join(
        "<span style='display:inline-block;min-width:84px;padding:8px 6px 8px 0'>"
        f"<b style='font-size:26px;color:{_COLORS.get(name, _COLORS[''])}'>{count}</b><br>"
        f"<span style='color:#666'>{escape(word(name, language))}</span></span>"
        for name, count in counts
    )
    return f"<div>{cells}</div>"


def _item(one: Item, address: str) -> str:
    link = _link(address, one.case)
    text = escape(one.text)
    if link:
        text = f"<a href='{escape(link)}' style='color:#1f5fa8'>{text}</a>"
    color = _COLORS.get(one.light, "#666666")
    return (
        f"<p style='margin:0;padding:10px 0;border-bottom:1px solid #eee'>{text}<br>"
        f"<span style='color:{color}'>{escape(one.note)}</span></p>"
    )


def _button(link: str, text: str) -> str:
    if not link:
        return ""
    return (
        f"<p style='margin:16px 0'><a href='{escape(link)}' style='display:inline-block;"
        f"padding:12px 20px;background:#c00000;color:#fff;text-decoration:none'>{escape(text)}"
        "</a></p>"
    )


def _foot(language: Language) -> str:
    told = escape(word("settings", language))
    return f"<p style='color:#888;font-size:14px;margin:20px 0 0'>{told}</p>"


def _page(title: str, inside: str, language: Language) -> str:
    return (
        f"<!doctype html><html lang='{'zh-CN' if language == 'zh' else 'en'}'><head>"
        "<meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{escape(title)}</title></head>"
        "<body style='margin:0;background:#fff;color:#222;font:16px/1.5 sans-serif'>"
        "<div style='max-width:600px;margin:0 auto;padding:16px'>"
        f"<h1 style='font-size:20px;margin:0 0 8px'>{escape(title)}</h1>"
        f"{inside}</div></body></html>"
    )


def _link(address: str, case: str) -> str:
    return f"{address.rstrip('/')}/cases/{case}" if address and case else ""


def _subject(text: str) -> str:
    return " ".join(text.split())[:200]


def _json(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
