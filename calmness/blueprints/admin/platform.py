"""What went to and came from the approved platform."""

from flask import Response, current_app, render_template
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from calmness.access import requires
from calmness.blueprints.admin.billing import bp
from calmness.models.platform import FlowKind, FlowState
from calmness.permissions import Permission
from calmness.services.billing import platform

FLOW_STATES = {
    FlowState.WAITING: (_l("à envoyer"), "warning"),
    FlowState.SENT: (_l("déposée"), "info"),
    FlowState.DELIVERED: (_l("mise à disposition"), "info"),
    FlowState.APPROVED: (_l("approuvée"), "success"),
    FlowState.COLLECTED: (_l("encaissée"), "success"),
    FlowState.REFUSED: (_l("refusée par le client"), "error"),
    FlowState.REJECTED: (_l("rejetée par la plateforme"), "error"),
}
FLOW_KINDS = {
    FlowKind.INVOICE: _l("Facture"),
    FlowKind.SALES: _l("Ventes du mois (flux 10.3)"),
    FlowKind.RECEIPTS: _l("Encaissements du mois (flux 10.4)"),
}


@bp.get("/comptabilite/plateforme")
@requires(Permission.SEE_BOOKS)
def platform_flows() -> ResponseReturnValue:
    """Each flow with its state, and the invoices of suppliers."""
    config = current_app.config
    return render_template(
        "admin/billing/platform.html",
        name=config["PLATFORM_NAME"] or config["PLATFORM_API_URL"],
        counts=platform.counts(),
        flows=platform.flows(),
        received=platform.received(),
        states=FLOW_STATES,
        kinds=FLOW_KINDS,
    )


@bp.get("/comptabilite/plateforme/recues/<int:received_id>")
@requires(Permission.SEE_BOOKS)
def supplier_invoice(received_id: int) -> ResponseReturnValue:
    """The file of a supplier."""
    return supplier_file(received_id)


def supplier_file(received_id: int) -> Response:
    """The file of a supplier, as it came; never opened in our pages. Raises ``NotFound``."""
    found, content = platform.received_file(received_id)
    ending = found.file_key.rpartition(".")[2]
    response = Response(content, mimetype="application/pdf" if ending == "pdf" else "application/xml")
    response.headers["Content-Disposition"] = f'attachment; filename="facture-recue-{found.id}.{ending}"'
    response.headers["Content-Security-Policy"] = "sandbox"
    return response
