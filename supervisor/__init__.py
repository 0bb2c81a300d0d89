"""What `make run` is: Redis, web, worker and clock under one roof, on one machine, in one folder.

Standard library only and no import of the product, so that it stands within a blink. Everything it writes is
under ``instance/``; it opens no port but loopback's. The pieces:

- ``house``      the order of things: lock, leftovers, port, keys, Redis, migration, demo, processes, stop
- ``children``   one child process: start, log, restart with back-off, stop
- ``processes``  what /proc tells: is it alive, whose session, who holds a port
- ``leftovers``  children of a supervisor that was killed: found by pid, start time and command
- ``redis``      which Redis server, its configuration, its damaged file
- ``settings``   environment of the children, keys generated once

A production host uses its own service manager instead (docs/operations.md).
"""
