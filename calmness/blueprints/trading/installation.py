"""How to install the EA, and the kit to download."""

from flask import Response, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue

from calmness.access import current_account, requires
from calmness.blueprints.trading import bp
from calmness.models.trading import Platform
from calmness.permissions import Permission
from calmness.services.trading import ea_kit, sync, trading_accounts


@bp.get("/metatrader/installation")
@requires(Permission.OWN_SPACE)
def installation() -> ResponseReturnValue:
    """The guide for MetaTrader 4 or 5: the one of the person's last account at first."""
    wanted = request.args.get("plateforme", "")
    accounts = trading_accounts.of_user(current_account().id)
    fallback = accounts[-1].platform if accounts else Platform.MT4
    platform = Platform(wanted) if wanted in set(Platform) else fallback
    return render_template(
        "trading/installation.html",
        address=current_app.config["BASE_URL"],
        version=sync.LATEST_VERSION,
        platform=platform,
        platforms=[
            (one.terminal, url_for("trading.installation", plateforme=one.value), one is platform) for one in Platform
        ],
        account=accounts[-1] if accounts else None,
    )


@bp.get("/metatrader/CalmnessFi_EA.<any(mq4, mq5):kind>")
@requires(Permission.OWN_SPACE)
def download(kind: str) -> ResponseReturnValue:
    """The EA's source, with the address filled in."""
    platform = Platform.MT4 if kind == "mq4" else Platform.MT5
    source = ea_kit.source(platform, current_app.config["BASE_URL"])
    return _attached(source, f"CalmnessFi_EA.{kind}", "text/plain")


@bp.get("/metatrader/kit-<any(mt4, mt5):platform>.zip")
@requires(Permission.OWN_SPACE)
def kit(platform: str) -> ResponseReturnValue:
    """A ZIP with the source, the folders of the terminal and a short guide."""
    content = ea_kit.archive(Platform(platform), current_app.config["BASE_URL"])
    return _attached(content, f"CalmnessFi-{platform}-{sync.LATEST_VERSION}.zip", "application/zip")


def _attached(content: bytes, name: str, kind: str) -> Response:
    return Response(content, mimetype=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
