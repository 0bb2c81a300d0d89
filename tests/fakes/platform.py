"""An approved platform, as far as the product speaks it: flows by tracking id, life cycle, invoices of suppliers."""

import hashlib
import itertools
import json
import re
from email import message_from_bytes
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.fakes.server import Answer, Call, FakeProvider

TOKEN = "platform-test-token"
TYPES = {
    "CustomerInvoice": "Factur-X",
    "AggregatedCustomerTransactionReport": "FRR",
    "AggregatedCustomerPaymentReport": "FRR",
}


class FakePlatform(FakeProvider):
    """Keeps ``flows`` by id, in order. ``lose_answers``: take that many flows and close without a word."""

    def __init__(self) -> None:
        super().__init__()
        self.flows: dict[str, dict[str, Any]] = {}
        self.arrived: dict[str, tuple[str, bytes]] = {}
        self.lose_answers = 0
        self._numbers = itertools.count(1)

    def clear(self) -> None:
        """Forget everything."""
        super().clear()
        self.flows.clear()
        self.arrived.clear()
        self.lose_answers = 0

    def arrive(self, name: str, content: bytes) -> str:
        """A supplier's invoice reaches the school."""
        flow_id = f"in-{next(self._numbers):04d}"
        self.arrived[flow_id] = (name, content)
        return flow_id

    def decide(self, tracking_id: str, status: int, reason: str = "") -> None:
        """The buyer or the platform says something of a flow."""
        flow = next(flow for flow in self.flows.values() if flow["trackingId"] == tracking_id)
        flow |= {"status": status, "reason": reason}

    def answer(self, call: Call) -> Answer:
        """Check token, path, and what is given."""
        if call.headers.get("authorization") != f"Bearer {TOKEN}":
            return self.fault("401 wrong token", 401)
        address = urlsplit(call.path)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        if address.path == "/v1/flows":
            return self._take(call) if call.method == "POST" else Answer(200, {"results": self._search(query)})
        if found := re.fullmatch(r"/v1/flows/([a-z0-9-]+)", address.path):
            flow = self.flows.get(found[1])
            return Answer(200, flow) if flow else self.fault(f"404 no flow {found[1]}", 404)
        if (found := re.fullmatch(r"/v1/flows/([a-z0-9-]+)/content", address.path)) and found[1] in self.arrived:
            return Answer(200, self.arrived[found[1]][1], {"Content-Type": "application/octet-stream"})
        return self.fault(f"404 {call.method} {call.path}", 404)

    def _search(self, query: dict[str, str]) -> list[dict[str, Any]]:
        if query.get("direction") == "In":
            rows = [{"flowId": flow_id, "name": name} for flow_id, (name, _content) in self.arrived.items()]
            return [row for row in rows if row["flowId"] > query.get("after", "")]
        return [flow for flow in self.flows.values() if flow["trackingId"] == query.get("trackingId")]

    def _take(self, call: Call) -> Answer:
        parts = _parts(call)
        info, content = json.loads(parts["flowInfo"]), parts["file"]
        if TYPES.get(info["flowType"]) != info["flowSyntax"]:
            return self.fault(f"422 {info['flowType']} as {info['flowSyntax']}", 422)
        if hashlib.sha256(content).hexdigest() != info["sha256"]:
            return self.fault("422 checksum", 422)
        if self._search({"trackingId": info["trackingId"]}):
            return self.fault(f"409 {info['trackingId']} given twice", 409)
        flow_id = f"out-{next(self._numbers):04d}"
        self.flows[flow_id] = {"flowId": flow_id, **info, "status": 200, "reason": "", "size": len(content)}
        if self.lose_answers:
            self.lose_answers -= 1
            return Answer(drop=True)
        return Answer(202, {"flowId": flow_id})


def _parts(call: Call) -> dict[str, bytes]:
    head = f"Content-Type: {call.headers['content-type']}\r\n\r\n".encode()
    parts: dict[str, bytes] = {}
    for part in message_from_bytes(head + call.raw).get_payload():
        name = str(part.get_param("name", header="content-disposition"))  # type: ignore[union-attr]
        parts[name] = part.get_payload(decode=True)  # type: ignore[union-attr, assignment]
    return parts
