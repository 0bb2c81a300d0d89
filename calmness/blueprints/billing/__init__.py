"""Checkout, payments and invoices of a student."""

from flask import Blueprint

bp = Blueprint("billing", __name__)

from calmness.blueprints.billing import checkout, payments, withdrawals  # noqa: E402

__all__ = ["bp", "checkout", "payments", "withdrawals"]
