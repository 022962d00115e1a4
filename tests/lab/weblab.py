# SPDX-License-Identifier: MIT
"""Certificates of an authority of the lab's own, and web servers that follow a
script: an AllStarLink registrar, and one for statistics."""

import contextlib
import http.server
import json
import os
import socket
import socketserver
import ssl
import subprocess
import threading
import time
import urllib.parse

from lab import wait_until


class Authority:
    """An authority, and the certificates it gives."""

    def __init__(self, lab, name='authority'):
        self.dir = os.path.join(lab.dir, name)
        os.makedirs(self.dir)
        self.cert = os.path.join(self.dir, 'ca.pem')
        self.key = os.path.join(self.dir, 'ca.key')
        self._openssl('req', '-x509', '-subj', f'/CN={name}', '-keyout', self.key, '-out', self.cert,
                      '-days', '2')

    def _openssl(self, command, *words):
        subprocess.run(['openssl', command, '-newkey', 'ec', '-pkeyopt',
                        'ec_paramgen_curve:prime256v1', '-nodes', *words],
                       check=True, capture_output=True)

    def give(self, name, *hosts):
        """(certificate, key) for hosts, which are names or addresses."""
        base = os.path.join(self.dir, name)
        alt = ','.join(('IP:' if h[0].isdigit() else 'DNS:') + h for h in hosts)
        self._openssl('req', '-subj', f'/CN={name}', '-keyout', base + '.key', '-out', base + '.csr')
        with open(base + '.ext', 'w', encoding='ascii') as f:
            f.write(f'subjectAltName={alt}\n')
        subprocess.run(['openssl', 'x509', '-req', '-in', base + '.csr', '-CA', self.cert, '-CAkey', self.key,
                        '-CAcreateserial', '-days', '2', '-extfile', base + '.ext', '-out', base + '.pem'],
                       check=True, capture_output=True)
        os.chmod(base + '.key', 0o600)
        return base + '.pem', base + '.key'


class _Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

    def __init__(self, listening, handler, owner):
        self.owner = owner
        super().__init__(('', 0), handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listening

    def handle_error(self, request, client_address):
        """Whoever hangs up is no news."""


class _Handler(http.server.BaseHTTPRequestHandler):
    timeout = 30

    def setup(self):
        # In the connection's thread: a handshake holds up nobody else.
        if self.server.owner.context:
            self.request = self.server.owner.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def log_message(self, *args):
        """Nothing."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
        self.server.owner.on_post(self, body)

    def do_GET(self):
        self.server.owner.on_get(self)

    def reply(self, status, text='', headers=()):
        data = text.encode() if isinstance(text, str) else text
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header('Content-Length', str(len(data)))
        self.send_header('Connection', 'close')
        self.end_headers()
        self.wfile.write(data)


class Web:
    """A server at a site; pem: (certificate, key), None for plain HTTP."""

    def __init__(self, site, port, pem=None):
        self.context = None
        if pem:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*pem)
        self.server = _Server(self._listening(site, port), _Handler, self)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    @staticmethod
    def _listening(site, port):
        listening = site.socket(port, kind=socket.SOCK_STREAM)
        listening.listen(16)
        return listening

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)

    def on_post(self, request, body):
        request.reply(405)

    def on_get(self, request):
        request.reply(405)


class AslRegistrar(Web):
    """register.allstarlink.org's manners, or what script(request) does instead: True when it did."""

    def __init__(self, site, pem, passwords, port=443, ipaddr=None, refresh=179):
        self.passwords, self.ipaddr, self.refresh = passwords, ipaddr, refresh
        self.posts = []  # (monotonic time, what was asked, status)
        self.headers = []
        self.script = None
        super().__init__(site, port, pem)

    def on_post(self, request, body):
        now, asked = time.monotonic(), json.loads(body)
        self.headers.append(dict(request.headers))
        if self.script:
            self.posts.append((now, asked, None))
            self.script(request)
            return
        ip, texts = self.ipaddr or request.client_address[0], []
        for number, node in asked['data']['nodes'].items():
            good = self.passwords.get(number) == node['passwd']
            texts.append(f'{number} successfully registered @ {ip}:{asked["port"]}' if good
                         else f'{number} failed authentication')
        self.posts.append((now, asked, 200))
        request.reply(200, json.dumps({'ipaddr': ip, 'port': asked['port'], 'refresh': self.refresh,
                                       'data': texts}), [('Content-Type', 'application/json')])

    def wait_posts(self, count, timeout_s=10):
        return wait_until(lambda: len(self.posts) >= count and self.posts[:count], timeout_s,
                          f'{count} posts')


class Stats(Web):
    """Notes what is reported."""

    def __init__(self, site, port=80, status=200):
        self.status = status
        self.reports = []
        super().__init__(site, port)

    def on_get(self, request):
        where = urllib.parse.urlsplit(request.path)
        self.reports.append((time.monotonic(), where.path,
                             dict(urllib.parse.parse_qsl(where.query, keep_blank_values=True))))
        with contextlib.suppress(OSError):
            request.reply(self.status)
