"""A provider on loopback: a real HTTP server that checks what it gets and remembers what it took."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Call:
    """One request as the provider saw it."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any
    raw: bytes


@dataclass(frozen=True)
class Answer:
    """What a provider says. ``seconds`` delays it, ``drop`` closes the connection without a word."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    drop: bool = False


class FakeProvider:
    """Base of the fakes. ``answer`` is the provider's rule; ``next_answers`` takes its place, one call each."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.faults: list[str] = []
        self.next_answers: list[Answer] = []
        self._leave = threading.Event()
        provider = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                provider.serve(self)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

            def log_message(self, *_arguments: Any) -> None:
                """Keep quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Address to configure."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def answer(self, call: Call) -> Answer:
        """The provider's rule; each fake has its own."""
        raise NotImplementedError

    def fault(self, sentence: str, status: int = 400) -> Answer:
        """Refuse a call that the true provider would refuse, and remember why: a test fails on it."""
        self.faults.append(sentence)
        return Answer(status, {"error": {"message": sentence}})

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        raw = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        is_json = "json" in (handler.headers.get("Content-Type") or "")
        headers = {name.lower(): value for name, value in handler.headers.items()}
        call = Call(handler.command, handler.path, headers, json.loads(raw) if is_json and raw else None, raw)
        self.calls.append(call)
        answer = self.next_answers.pop(0) if self.next_answers else self.answer(call)
        if answer.seconds:
            self._leave.wait(answer.seconds)
        if answer.drop:
            handler.close_connection = True
            return
        body = answer.body
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        try:
            handler.send_response(answer.status)
            for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                handler.send_header(name, value)
            handler.send_header("Content-Length", str(len(content)))
            handler.end_headers()
            handler.wfile.write(content)
        except OSError:
            handler.close_connection = True  # the client has lost patience, as some tests want it to

    def fail_next(self, *answers: Answer) -> None:
        """Answer the next calls like this, whatever they ask."""
        self.next_answers.extend(answers)

    def clear(self) -> None:
        """Forget everything."""
        self.calls.clear()
        self.faults.clear()
        self.next_answers.clear()

    def close(self) -> None:
        """Stop serving."""
        self._leave.set()
        self._server.shutdown()
        self._server.server_close()


Rule = Callable[[Call], Answer]
