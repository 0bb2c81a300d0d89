"""Standard rate-limit headers (draft-ietf-httpapi-ratelimit-headers): what is allowed, and what is left."""

import math
import time

from flask import Response

from calmness.blueprints.api import bp
from calmness.extensions import limiter

PER_MINUTE = 600

limiter.shared_limit(f"{PER_MINUTE} per minute", scope="api")(bp)


@bp.after_request
def set_rate_headers(response: Response) -> Response:
    """Tell the limit that is closest to its end."""
    reached = limiter.current_limit
    if reached is None:
        return response
    left, wait = max(0, reached.remaining), max(0, math.ceil(reached.reset_at - time.time()))
    response.headers["RateLimit-Policy"] = f'"api";q={reached.limit.amount};w={reached.limit.get_expiry()}'
    response.headers["RateLimit"] = f'"api";r={left};t={wait}'
    return response
