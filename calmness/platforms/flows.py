"""A platform by HTTP: JSON for what is said of a flow, the file as it is."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import requests

from calmness.platforms import FlowStatus, IncomingFlow, OutgoingFlow, PlatformAway, PlatformRefused

TIMEOUT = (3.05, 20.0)
"""Seconds to connect and to answer."""
MAX_BYTES = 20 * 1024 * 1024
PAUSE = 60.0


@dataclass(frozen=True)
class PlatformSettings:
    """Address and token. The token must never reach a log."""

    url: str
    token: str


class FlowService:
    """``/v1/flows`` of a platform."""

    def __init__(self, settings: PlatformSettings) -> None:
        self._url = settings.url.rstrip("/")
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {settings.token}"

    def send(self, flow: OutgoingFlow) -> str:
        """Give a flow; its id."""
        info = {
            "trackingId": flow.tracking_id,
            "name": flow.name,
            "flowType": flow.flow_type,
            "flowSyntax": flow.syntax,
            "sha256": hashlib.sha256(flow.content).hexdigest(),
        }
        parts = {
            "flowInfo": (None, json.dumps(info), "application/json"),
            "file": (flow.name, flow.content, "application/octet-stream"),
        }
        return str(self._json("POST", "/v1/flows", files=parts)["flowId"])

    def find(self, tracking_id: str) -> str | None:
        """Id of a flow that was given before."""
        found = self._json("GET", "/v1/flows", params={"trackingId": tracking_id})["results"]
        return str(found[0]["flowId"]) if found else None

    def status(self, flow_id: str) -> FlowStatus:
        """Where a flow stands."""
        body = self._json("GET", f"/v1/flows/{flow_id}")
        return FlowStatus(int(body["status"]), str(body.get("reason") or "")[:500])

    def incoming(self, after: str | None) -> list[IncomingFlow]:
        """Invoices of suppliers, oldest first."""
        query = {"direction": "In", **({"after": after} if after else {})}
        rows = self._json("GET", "/v1/flows", params=query)["results"]
        return [IncomingFlow(str(row["flowId"]), str(row.get("name") or "")[:120]) for row in rows]

    def content(self, flow_id: str) -> bytes:
        """The file of a flow. Raises ``PlatformRefused`` for one that is too heavy."""
        answer = self._call("GET", f"/v1/flows/{flow_id}/content")
        if len(answer.content) > MAX_BYTES:
            raise PlatformRefused("file too heavy")
        return answer.content

    def _json(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        answer = self._call(method, path, **options)
        try:
            body = answer.json()
        except requests.JSONDecodeError as error:
            raise PlatformAway("no JSON") from error
        if not isinstance(body, dict):
            raise PlatformAway("no object")
        return body

    def _call(self, method: str, path: str, **options: Any) -> requests.Response:
        try:
            answer = self._session.request(method, self._url + path, timeout=TIMEOUT, allow_redirects=False, **options)
        except requests.RequestException as error:
            raise PlatformAway(type(error).__name__) from error
        if answer.status_code == 429:
            raise PlatformAway("429", _seconds(answer.headers.get("Retry-After")))
        # A wrong token is the school's trouble, not the flow's: it waits until somebody has set the right one.
        if answer.status_code in {401, 403} or answer.status_code >= 500:
            raise PlatformAway(str(answer.status_code))
        if not answer.ok:
            raise PlatformRefused(_reason(answer))
        return answer


def _seconds(value: str | None) -> float:
    try:
        return min(max(float(value or PAUSE), 1.0), 86_400.0)
    except ValueError:
        return PAUSE


def _reason(answer: requests.Response) -> str:
    try:
        body = answer.json()
    except requests.JSONDecodeError:
        body = {}
    text = body.get("errorMessage") if isinstance(body, dict) else None
    return f"{answer.status_code} {text or ''}".strip()[:500]
