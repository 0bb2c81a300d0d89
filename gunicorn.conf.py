from gevent import monkey; monkey.patch_all()  # fmt: skip # noqa: E702 - before anything takes an unpatched socket or lock

"""Web server of one machine: pages and sockets in one gevent process.

More than one worker here would break Socket.IO's long polling, which needs each client to come back to the
same process: start several gunicorns with one worker each, on a port each, behind a proxy that keeps clients
where they are (docs/operations.md).
"""

import gc
import os
from typing import Any

# Flask-SocketIO would pick a mode by what is installed; worker class, package and mode belong together.
os.environ["SOCKETIO_ASYNC_MODE"] = "gevent"

bind = os.environ.get("BIND") or f"127.0.0.1:{os.environ.get('PORT') or 8000}"
worker_class = "geventwebsocket.gunicorn.workers.GeventWebSocketWorker"
workers = 1
worker_connections = 3000  # open sockets and pages together
preload_app = False  # connections made before the fork would be shared

timeout = 60
graceful_timeout = 5  # open sockets never finish by themselves; browsers come back with a random delay
keepalive = 20

control_socket_disable = True  # it would lie in the person's home, shared by every gunicorn of that person
accesslog = None  # the application logs each request itself, with its id
errorlog = "-"
loglevel = os.environ.get("WEB_LOG_LEVEL") or "warning"
forwarded_allow_ips = os.environ.get("FORWARDED_ALLOW_IPS") or "127.0.0.1"


def post_worker_init(_worker: Any) -> None:
    """Leave what was made at the start out of each later search for garbage: it stays for good and is large."""
    gc.collect()
    gc.freeze()


def child_exit(_server: Any, worker: Any) -> None:
    """Take a gone worker's live gauges out of the shared figures."""
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        from prometheus_client import multiprocess

        multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
