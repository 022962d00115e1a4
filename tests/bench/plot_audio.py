# SPDX-License-Identifier: MIT
"""Draws the curves of `bench_audio --curve`, read from standard input.

    plot_audio.py FILE.png

Python's own library only: a PNG is a header and rows of pixels in zlib.
"""

import csv
import struct
import sys
import zlib

WIDTH, HEIGHT = 960, 560
LEFT, RIGHT, TOP, BOTTOM = 60, 940, 20, 520
HZ_MAX = 8000
DB_MIN, DB_MAX = -120, 20
WHITE, GREY, BLACK = (255, 255, 255), (220, 220, 220), (0, 0, 0)
CURVES = (
    ('gain_db', 'GAIN 48-8', (0, 90, 200)),
    ('alias_db', 'ALIAS', (200, 30, 30)),
    ('thdn_db', 'THD-N', (20, 140, 60)),
    ('ulaw_db', 'THD-N U-LAW', (150, 110, 60)),
    ('high_pass_db', 'HIGH-PASS', (120, 60, 160)),
    ('de_db', 'DE-EMPH', (230, 140, 0)),
    ('pre_db', 'PRE-EMPH', (0, 150, 160)),
)

# Three by five pixels a sign, a row in each octal digit.
FONT = dict(zip('0123456789-ABDEGHILMNPRSTUWZ ', (
    0o75557, 0o26227, 0o71747, 0o71717, 0o55711, 0o74717, 0o74757, 0o71111,
    0o75757, 0o75717, 0o00700, 0o25755, 0o65656, 0o65556, 0o74647, 0o74557,
    0o55755, 0o72227, 0o44447, 0o57755, 0o57775, 0o65644, 0o65655, 0o34216,
    0o72222, 0o55557, 0o55775, 0o71247, 0o00000)))


class Canvas:
    def __init__(self):
        self.rows = [bytearray(WHITE * WIDTH) for _ in range(HEIGHT)]

    def dot(self, x, y, colour):
        if 0 <= x < WIDTH and 0 <= y < HEIGHT:
            self.rows[y][3 * x:3 * x + 3] = bytes(colour)

    def line(self, start, end, colour):
        steps = max(abs(end[0] - start[0]), abs(end[1] - start[1]), 1)
        for i in range(steps + 1):
            x, y = (round(a + (b - a) * i / steps)
                    for a, b in zip(start, end))
            self.dot(x, y, colour)
            self.dot(x, y + 1, colour)

    def text(self, x, y, words, colour=BLACK):
        for sign in words:
            for bit in range(15):
                if FONT[sign] >> (14 - bit) & 1:
                    for k in range(4):
                        self.dot(x + bit % 3 * 2 + k % 2,
                                 y + bit // 3 * 2 + k // 2, colour)
            x += 8

    def png(self):
        def chunk(kind, data):
            return (struct.pack('>I', len(data)) + kind + data
                    + struct.pack('>I', zlib.crc32(kind + data)))
        raw = b''.join(b'\0' + row for row in self.rows)
        return (b'\x89PNG\r\n\x1a\n'
                + chunk(b'IHDR', struct.pack('>IIBBBBB', WIDTH, HEIGHT, 8, 2,
                                             0, 0, 0))
                + chunk(b'IDAT', zlib.compress(raw, 9))
                + chunk(b'IEND', b''))


def place(hz, db):
    db = min(max(db, DB_MIN), DB_MAX)
    return (round(LEFT + (RIGHT - LEFT) * hz / HZ_MAX),
            round(TOP + (BOTTOM - TOP) * (DB_MAX - db) / (DB_MAX - DB_MIN)))


def grid(canvas):
    for hz in range(0, HZ_MAX + 1, 500):
        canvas.line(place(hz, DB_MIN), place(hz, DB_MAX), GREY)
        if hz % 1000 == 0:
            x, y = place(hz, DB_MIN)
            canvas.text(x - 16, y + 10, str(hz))
    for db in range(DB_MIN, DB_MAX + 1, 10):
        canvas.line(place(0, db), place(HZ_MAX, db), GREY)
        if db % 20 == 0:
            _, y = place(0, db)
            canvas.text(12, y - 5, f'{db:4}')
    canvas.text(12, BOTTOM + 24, 'DB')
    canvas.text(RIGHT - 24, BOTTOM + 24, 'HZ')


def draw(rows):
    canvas = Canvas()
    grid(canvas)
    for n, (name, label, colour) in enumerate(CURVES):
        points = [place(float(row['hz']), float(row[name]))
                  for row in rows if row[name]]
        for start, end in zip(points, points[1:]):
            canvas.line(start, end, colour)
        canvas.text(RIGHT - 110, TOP + 110 + 18 * n, label, colour)
    return canvas.png()


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    rows = list(csv.DictReader(sys.stdin))
    if not rows:
        sys.exit('plot_audio.py: no curves to draw')
    picture = draw(rows)
    with open(sys.argv[1], 'wb') as f:
        f.write(picture)


if __name__ == '__main__':
    main()
