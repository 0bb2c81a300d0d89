"""HTTP and sockets, a package an area."""
