"""A terminal that a run is watched on: what it shows, and when."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import termios
import threading
import time

ROWS, COLUMNS = 50, 240
# What a live line begins with each time that it is drawn.
DRAWN_ANEW = "\x1b[2K"


class Terminal:
    """One that nobody types at. A run gets its `end`; what it writes there is kept with its time."""

    def __init__(self) -> None:
        self._ours, self.end = pty.openpty()
        # So wide that no line is cut.
        fcntl.ioctl(self.end, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self._reader = threading.Thread(target=self._read, daemon=True)
        # What was written, and when; and when the run left. In seconds on the monotonic clock.
        self.written: list[tuple[float, str]] = []
        self.left = 0.0

    def watch(self) -> None:
        """Begins, once a run has the other end."""
        os.close(self.end)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                read = os.read(self._ours, 1 << 16)
            except OSError:  # The run has ended, and its end is closed.
                break
            if not read:
                break
            self.written.append((time.monotonic(), read.decode(errors="replace")))
        self.left = time.monotonic()
        os.close(self._ours)

    def text(self) -> str:
        """All that was written, once the run has ended."""
        self._reader.join(10)
        return "".join(text for _, text in self.written)


def live_lines(written: list[tuple[float, str]]) -> list[tuple[float, str]]:
    """The live line after each write that changed it, without the sign that turns at its head."""
    lines: list[tuple[float, str]] = []
    drawn = ""
    for at, text in written:
        _, anew, rest = text.rpartition(DRAWN_ANEW)
        drawn = rest if anew else drawn + text
        line = " ".join(drawn.split()[1:])
        if not lines or lines[-1][1] != line:
            lines.append((at, line))
    return lines
