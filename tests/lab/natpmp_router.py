# SPDX-License-Identifier: MIT
"""A router's NAT-PMP (RFC 6886) that grants whatever it is asked for, also where
miniupnpd would not; it translates nothing."""

import contextlib
import socket
import struct
import threading
import time

PORT = 5351
UNSUPPORTED_VERSION = 1


class NatPmpRouter:
    """At a router of the lab; external: the address that it says it has."""

    def __init__(self, router, external=None):
        self._external = external or router.addr4
        self._began = time.monotonic()
        self.mapped = {}  # internal port: lifetime
        self._sock = router.socket(PORT)
        threading.Thread(target=self._serve, daemon=True).start()

    def _epoch(self):
        return int(time.monotonic() - self._began)

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                data, source = self._sock.recvfrom(1500)
                self._sock.sendto(self._answer(data), source)

    def _answer(self, data):
        if data[0] != 0:
            return struct.pack('!BBHI', 0, 128, UNSUPPORTED_VERSION, self._epoch())
        if data[1] == 0:
            return struct.pack('!BBHI', 0, 128, 0, self._epoch()) + socket.inet_aton(self._external)
        internal, external, lifetime = struct.unpack('!HHI', data[4:12])
        self.mapped[internal] = lifetime
        return struct.pack('!BBHIHHI', 0, 128 + data[1], 0, self._epoch(), internal,
                           external if lifetime else 0, lifetime)
