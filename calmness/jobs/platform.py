"""Work with the approved platform. No transaction is open while it answers."""

from datetime import timedelta
from typing import Any

from flask import current_app

from calmness import clock
from calmness.extensions import db
from calmness.jobs.handlers import periodic, task
from calmness.models.platform import FlowState, PlatformFlow
from calmness.platforms import Platform, PlatformAway, PlatformRefused
from calmness.platforms.flows import FlowService, PlatformSettings
from calmness.services import delivery
from calmness.services.billing import platform


@periodic("platform.exchange", every_seconds=300)
def exchange() -> None:
    """Plan the reports of a closed month, ask where flows stand, take what came; nothing without a platform."""
    port = port_of()
    if port is None:
        return
    platform.plan_reports()
    platform.enqueue_waiting()
    db.session.commit()
    try:
        _read_states(port)
        _receive(port)
    except PlatformAway:
        # The next round goes on where this one stopped.
        db.session.rollback()


@task(platform.SEND)
def send(payload: dict[str, Any]) -> None:
    """Give a flow once, also after a crash: a second try asks first whether the platform has it."""
    port, flow = port_of(), db.session.get(PlatformFlow, payload["flow_id"])
    if port is None or flow is None or flow.state is not FlowState.WAITING:
        return
    given = platform.outgoing(flow, _sender())
    if given is None:
        db.session.commit()
        return
    again = platform.note_try(flow, given.content)
    db.session.commit()
    try:
        flow_id = (port.find(given.tracking_id) if again else None) or port.send(given)
    except PlatformRefused as refusal:
        platform.note_refused(flow, str(refusal))
    except PlatformAway as away:
        if away.retry_after is None:
            raise
        due = clock.now() + timedelta(seconds=away.retry_after)
        delivery.enqueue(platform.SEND, f"{platform.SEND}:{flow.id}:{due:%Y%m%d%H%M%S}", payload, due_at=due)
    else:
        platform.note_sent(flow, flow_id)
    db.session.commit()


def port_of() -> Platform | None:
    """The platform of the settings; None without one."""
    config = current_app.config
    if not config["PLATFORM_API_URL"]:
        return None
    return FlowService(PlatformSettings(config["PLATFORM_API_URL"], config["PLATFORM_TOKEN"]))


def _sender() -> platform.Sender:
    config = current_app.config
    return platform.Sender(config["PLATFORM_REGISTRATION"].strip(), config["PLATFORM_NAME"].strip())


def _read_states(port: Platform) -> None:
    for flow in platform.to_check():
        flow_id = flow.flow_id or ""
        db.session.commit()
        status = port.status(flow_id)
        platform.note_status(flow, status)
        db.session.commit()


def _receive(port: Platform) -> None:
    after = platform.last_received()
    db.session.commit()
    for incoming in port.incoming(after):
        content = port.content(incoming.flow_id)
        platform.receive(incoming, content)
        db.session.commit()
