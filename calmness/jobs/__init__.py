"""What workers run. RQ calls ``drain(lane)`` and ``run_periodic(name)``; everything else is found in the rows.

Importing this package registers the handlers of all areas.
"""

from calmness.jobs import areas, claims
from calmness.jobs.drain import drain, drain_everything
from calmness.jobs.periodic import run_periodic

areas.load()

__all__ = ["claims", "drain", "drain_everything", "run_periodic"]
