"""The EA's own source, compiled as C++ and run as a terminal would: see ``compiler``, ``mql4.h`` and ``simulation``."""
