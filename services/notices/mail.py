"""Sends mails by SMTP, and knows whether one certainly went, certainly didn't, or may have."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from urllib.parse import unquote, urlsplit

from services.notices.errors import AddressInvalid, NotSent, TurnedDown, Unsure
from services.notices.messages import Message

TIMEOUT_S = 10.0
SCHEMES = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
_PERMANENT = range(500, 600)


@dataclass(frozen=True, slots=True)
class Mailer:
    """A mail server and the address that mails come from.

    Parameters
    ----------
    url : ``smtp://host:25``, ``smtp+starttls://user:password@host``, ``smtps://…``.
    sender : such as ``督办系统 <duban@example.gov.cn>``.
    """

    url: str
    sender: str

    def send(self, to: str, message: Message, delivery: str, at: datetime) -> None:
        """Send a mail whose Message-ID names the delivery.

        Raises
        ------
        NotSent : it certainly didn't go; later it may.
        TurnedDown : the server will never take it.
        Unsure : the connection broke when it may have been taken already.
        """
        mail = self.compose(to, message, delivery, at)
        with self._connected() as server:
            self._hand_over(server, to, mail)

    def compose(self, to: str, message: Message, delivery: str, at: datetime) -> bytes:
        """Write a mail with a text and an HTML part."""
        name, address = parseaddr(self.sender)
        local, _, domain = address.partition("@")
        mail = EmailMessage(policy=SMTP)
        mail["From"] = Address(name, local, domain)
        mail["To"] = Address(addr_spec=check_address(to))
        mail["Subject"] = message.subject
        mail["Date"] = format_datetime(at)
        mail["Message-ID"] = f"<{delivery}@{domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.text, cte="base64")
        if message.html:
            mail.add_alternative(message.html, subtype="html", cte="base64")
            # A random boundary would make two attempts differ.
            mail.set_boundary(f"=_{delivery}")
        return mail.as_bytes()

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        parts = urlsplit(self.url)
        host, port = parts.hostname or "localhost", parts.port or SCHEMES[parts.scheme]
        server: smtplib.SMTP | None = None
        try:
            if parts.scheme == "smtps":
                server = smtplib.SMTP_SSL(
                    host, port, timeout=TIMEOUT_S, context=ssl.create_default_context()
                )
            else:
                server = smtplib.SMTP(host, port, timeout=TIMEOUT_S)
            if parts.scheme == "smtp+starttls":
                server.starttls(context=ssl.create_default_context())
            if parts.username:
                server.login(unquote(parts.username), unquote(parts.password or ""))
            server.ehlo_or_helo_if_needed()
        except (OSError, smtplib.SMTPException) as failure:
            if server is not None:
                server.close()
            raise NotSent(repr(failure)) from failure
        try:
            yield server
        finally:
            server.close()

    def _hand_over(self, server: smtplib.SMTP, to: str, mail: bytes) -> None:
        sender = parseaddr(self.sender)[1]
        try:
            _expect(server.mail(sender))
            _expect(server.rcpt(to))
        except (OSError, smtplib.SMTPException) as failure:
            raise NotSent(repr(failure)) from failure
        try:
            _expect(server.data(mail))
        except smtplib.SMTPDataError as failure:
            _expect((failure.smtp_code, _bytes(failure.smtp_error)))
        except (OSError, smtplib.SMTPException) as failure:
            # The server may have taken it and been cut off while saying so.
            raise Unsure(repr(failure)) from failure


def check_address(address: str) -> str:
    """Give an address that a mail can go to.

    Raises
    ------
    AddressInvalid : it isn't one.
    """
    try:
        found = Address(addr_spec=address)
    except (ValueError, IndexError, MessageError) as wrong:
        raise AddressInvalid(address[:100]) from wrong
    if not found.username or "." not in found.domain.strip(".") or not address.isascii():
        raise AddressInvalid(address[:100])
    return address


def _expect(answer: tuple[int, bytes]) -> None:
    code, words = answer
    if code in (250, 251):
        return
    reason = f"{code} {words.decode('utf-8', 'replace')}"[:500]
    if code in _PERMANENT:
        raise TurnedDown(reason)
    raise NotSent(reason)


def _bytes(words: str | bytes) -> bytes:
    return words.encode() if isinstance(words, str) else words
