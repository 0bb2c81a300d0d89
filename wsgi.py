"""Entry point of web processes and of the ``flask`` command."""

from calmness import create_app

app = create_app()
