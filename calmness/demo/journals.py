"""What the demo's students write and share: notes, plans, a screenshot, consents, the leaderboard."""

import io
import random
from datetime import datetime, timedelta
from decimal import Decimal

from PIL import Image, ImageDraw
from sqlalchemy import insert, select

from calmness.demo import trades
from calmness.extensions import db
from calmness.models.account import User
from calmness.models.trading import Trade, TradeKind, TradeStatus, TradingAccount
from calmness.services.trading import journals, leaderboards, screenshots, sharing
from calmness.services.trading.journals import Draft
from calmness.services.trading.sharing import Level
from calmness.services.trading.trade_plans import side_of

WRITTEN, SHARED = 60, 0.75
NOTES = (
    ("Entrée sur le repli, comme prévu. Sortie au premier objectif.", "londres, tendance"),
    ("Le plan disait d’attendre la clôture ; je n’ai pas attendu.", "cassure"),
    ("Volume faible, taille réduite. Bonne décision.", "prudence"),
    ("Deux pertes avant celui-ci : j’aurais dû fermer l’écran.", "fatigue"),
    ("Contexte H4 clair, entrée M15 propre.", "tendance, h4"),
)
PSEUDONYMS = (
    "Marée calme",
    "Petit Poucet",
    "Lento",
    "Corvus",
    "Bougie verte",
    "Patience 77",
    "Le Menuisier",
    "Granite",
    "Sillage",
    "Nordet",
    "Haut Plateau",
    "Trois Quarts",
)


def open_positions(now: datetime, account: TradingAccount) -> None:
    """Three positions that are open now, and a withdrawal of last month."""
    rows = []
    for place, (symbol, kind, lots, price, pips) in enumerate(
        (
            ("EURUSD", TradeKind.BUY, "0.20", "1.08640", "38.40"),
            ("GBPUSD", TradeKind.SELL, "0.15", "1.27410", "-12.75"),
            ("XAUUSD", TradeKind.BUY, "0.05", "2324.60", "21.00"),
        )
    ):
        entry, side = Decimal(price), 1 if kind is TradeKind.BUY else -1
        stop = (entry * (1 - side * Decimal("0.002"))).quantize(entry)
        rows.append(
            trades.row_of(account, 89_000_001 + place, kind, now - timedelta(hours=2 + 3 * place))
            | {
                "status": TradeStatus.OPEN,
                "symbol": symbol,
                "volume": Decimal(lots),
                "digits": -int(entry.as_tuple().exponent),
                "open_price": entry,
                "current_price": entry,
                "stop_loss": stop,
                "initial_stop": stop,
                "profit": Decimal(pips),
                "net": Decimal(pips),
            }
        )
    db.session.execute(insert(Trade), rows)
    money = trades.cash_row(account, 89_000_009, now - timedelta(days=24), Decimal("-500.00"), "Withdrawal")
    db.session.execute(insert(Trade), [money])
    floating = sum((row["net"] for row in rows), Decimal(0))
    account.balance = (account.balance or Decimal(0)) - 500
    account.equity, account.margin = account.balance + floating, Decimal("412.30")
    account.free_margin = account.equity - account.margin


def make(camille: User, accounts: list[TradingAccount]) -> None:
    """Notes of Camille, and who shares what with whom; scores need the statistics to be there."""
    rng = random.Random(7)
    mine = list(
        db.session.scalars(
            select(Trade)
            .where(Trade.account_id == accounts[0].id, Trade.status == TradeStatus.CLOSED)
            .order_by(Trade.closed_at.desc())
            .limit(WRITTEN)
        )
    )
    for trade in mine:
        _write(rng, camille, trade)
    if mine:
        screenshots.add(camille.id, mine[0].id, _chart(rng), "Cassure de la veille, M15")
    owners = list(dict.fromkeys(account.user_id for account in accounts))
    for user_id in owners:
        if user_id == camille.id or rng.random() < SHARED:
            level = Level.TRADES if rng.random() < 0.4 else Level.FIGURES
            sharing.choose(user_id, level, source="demo")
    for user_id, name in zip(owners, PSEUDONYMS, strict=False):
        leaderboards.join(user_id, name)


def _write(rng: random.Random, camille: User, trade: Trade) -> None:
    note, tags = rng.choice(NOTES)
    wrong = trade.net < 0 and rng.random() < 0.6
    own = journals.own_mistakes(camille.id)
    side, unit = side_of(trade), Decimal(1).scaleb(-(trade.digits or 2))
    entry, stop = trade.open_price or Decimal(1), trade.initial_stop or Decimal(1)
    journals.write(
        camille.id,
        trade.id,
        Draft(
            note=note,
            tags=tags,
            mistakes=(rng.choice(own),) if wrong else (),
            planned_entry=str(entry),
            planned_stop=str(stop),
            planned_target=str((entry + side * abs(entry - stop) * 2).quantize(unit)),
            plan_followed=not wrong,
        ),
    )


def _chart(rng: random.Random) -> bytes:
    """A drawn chart of candles."""
    picture = Image.new("RGB", (960, 480), (12, 12, 12))
    pen, price = ImageDraw.Draw(picture), 240.0
    for place in range(48):
        opened, price = price, min(max(price + rng.gauss(-1.5, 16), 50), 430)
        color = (16, 185, 129) if price < opened else (239, 68, 68)
        x, low, high = 12 + place * 19, min(opened, price), max(opened, price)
        pen.line((x + 6, low - rng.random() * 14, x + 6, high + rng.random() * 14), fill=color)
        pen.rectangle((x, low, x + 12, max(high, low + 1)), fill=color)
    pen.line((0, 205, 960, 205), fill=(212, 175, 55), width=2)
    sink = io.BytesIO()
    picture.save(sink, "PNG")
    return sink.getvalue()
