"""Reference rates of the demo: walks that look like the real ones, from a fixed seed of their own."""

import random
from datetime import date, timedelta
from decimal import Decimal

from calmness.banking.ecb import Rate
from calmness.services.trading import exchange_rates

DAYS = 460
LEVELS = {
    "USD": ("1.0850", "0.0001"),
    "GBP": ("0.8450", "0.00005"),
    "JPY": ("163.20", "0.01"),
    "CHF": ("0.9480", "0.0001"),
    "CAD": ("1.4820", "0.0001"),
    "AUD": ("1.6480", "0.0001"),
    "SEK": ("11.3500", "0.0005"),
    "PLN": ("4.2800", "0.0005"),
}


def make(today: date) -> None:
    """Rates of every working day up to today."""
    rng = random.Random("rates")
    days = [today - timedelta(days=back) for back in range(DAYS, -1, -1)]
    made = []
    for currency, (level, unit) in LEVELS.items():
        value, mean = float(level), float(level)
        for day in days:
            if day.weekday() < 5:
                value += rng.gauss(0, 0.0042) * mean + (mean - value) * 0.02
                made.append(Rate(day, currency, Decimal(str(value)).quantize(Decimal(unit))))
    exchange_rates.store(made)
