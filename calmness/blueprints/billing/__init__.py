"""Checkout, payments and invoices of a student."""

from flask import Blueprint

bp = Blueprint("billing", __name__)

from calmness.blueprints.billing import checkout, payments  # noqa: E402

__all__ = ["bp", "checkout", "payments"]
