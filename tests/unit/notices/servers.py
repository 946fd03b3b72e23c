"""A mail server and a receiver of webhooks on this machine, with real sockets."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from services.notices.webhooks import ID, is_genuine


class MailServer(socketserver.ThreadingTCPServer):
    """Takes mails by SMTP; `mood` says how it answers.

    ``takes``; ``busy`` answers 451 to recipients; ``unknown`` answers 550; ``drops`` takes the
    mail and is gone before it says so; ``full`` answers 552 after the mail.
    """

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.mood = "takes"
        self.mails: list[EmailMessage] = []
        self.recipients: list[str] = []

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.server_address[1]}"


class _Conversation(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self._say(220, "ready")
        for line in self.rfile:
            verb = line.decode().strip().upper()
            if verb.startswith("RCPT"):
                self._recipient(line.decode())
            elif verb == "DATA":
                if not self._mail():
                    return
            elif verb == "QUIT":
                self._say(221, "bye")
                return
            else:
                self._say(250, "ok")

    def _recipient(self, line: str) -> None:
        answers = {"busy": (451, "later"), "unknown": (550, "no such mailbox")}
        code, words = answers.get(self.server.mood, (250, "ok"))
        self.server.recipients.append(line.partition("<")[2].partition(">")[0])
        self._say(code, words)

    def _mail(self) -> bool:
        self._say(354, "go on")
        lines = []
        for line in self.rfile:
            if line == b".\r\n":
                break
            lines.append(line[1:] if line.startswith(b"..") else line)
        if self.server.mood == "full":
            self._say(552, "mailbox full")
            return True
        mail = message_from_bytes(b"".join(lines), policy=default)
        assert isinstance(mail, EmailMessage)
        self.server.mails.append(mail)
        if self.server.mood == "drops":
            return False
        self._say(250, "taken")
        return True

    def _say(self, code: int, words: str) -> None:
        self.wfile.write(f"{code} {words}\r\n".encode())


class Receiver(ThreadingHTTPServer):
    """Takes webhooks as a careful receiver does: checks them, and knows what it has seen."""

    daemon_threads = True

    def __init__(self, now: datetime) -> None:
        super().__init__(("127.0.0.1", 0), _Reception)
        self.now = now
        self.secret = ""
        self.status = 204
        self.got: list[tuple[str, bytes]] = []
        self.headers: list[dict[str, str]] = []
        self.turned_down = 0

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    @property
    def url(self) -> str:
        return f"http://{self.place}/duban?x=1"


class _Reception(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.headers.append(headers)
        seen = {delivery for delivery, _ in self.server.got}
        if not is_genuine(self.server.secret, headers, body, self.server.now, seen):
            self.server.turned_down += 1
            self._answer(401)
            return
        if self.server.status == 204:
            self.server.got.append((headers[ID], body))
        self._answer(self.server.status)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        if status // 100 == 3:
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
