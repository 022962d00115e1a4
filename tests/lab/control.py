# SPDX-License-Identifier: MIT
"""A daemon's control socket: its status as often as one likes, and its events
from a moment that is known.  A console for each look would take more of the
machine than what is tested."""

import json
import socket

PATIENCE_S = 10


class Line:
    """A connection of JSON-RPC, one object a line; OSError when it breaks."""

    def __init__(self, path):
        self._data = b''
        self._sock = socket.socket(socket.AF_UNIX)
        self._sock.settimeout(PATIENCE_S)
        try:
            self._sock.connect(path)
        except OSError:
            self._sock.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, kind, _value, _trace):
        self._sock.close()

    def patience(self, seconds):
        """How long read() waits; None: for ever."""
        self._sock.settimeout(seconds)

    def ask(self, method, **params):
        """The result, None when the daemon refuses."""
        return self.answer(method, **params).get('result')

    def answer(self, method, **params):
        """All of the answer; "error" is in it when the daemon refuses."""
        self.send(method, **params)
        while 'id' not in (answer := self.read()):
            pass
        return answer

    def send(self, method, **params):
        """Ask, and read() what comes of it."""
        asked = {'jsonrpc': '2.0', 'id': 1, 'method': method, 'params': params}
        self._sock.sendall(json.dumps(asked).encode() + b'\n')

    def read(self):
        while b'\n' not in self._data:
            more = self._sock.recv(65536)
            if not more:
                raise ConnectionResetError('the daemon went away')
            self._data += more
        line, _, self._data = self._data.partition(b'\n')
        return json.loads(line)

    def end(self):
        """Whoever reads stops."""
        self._sock.shutdown(socket.SHUT_RDWR)


def status(path):
    """What the daemon says; None when nobody is there, or refuses."""
    try:
        with Line(path) as line:
            return line.ask('status')
    except OSError:
        return None
