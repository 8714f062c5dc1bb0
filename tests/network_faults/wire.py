"""Cables with delay and loss, for kernels without netem: copies frames between pairs of interfaces.

wire.py DELAY_MS LOSS_PERCENT SEED A:B...  Prints "ready" when it copies; ends when its standard input does.
"""

import heapq
import random
import selectors
import socket
import sys
import time


def opened(name):
    interface = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    interface.bind((name, 0))
    interface.setblocking(False)
    interface.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    return interface


def main():
    delay, loss, seed = float(sys.argv[1]) / 1e3, float(sys.argv[2]) / 100, int(sys.argv[3])
    dice = random.Random(seed)
    ready = selectors.DefaultSelector()
    for pair in sys.argv[4:]:
        one, other = map(opened, pair.split(":"))
        ready.register(one, selectors.EVENT_READ, other)
        ready.register(other, selectors.EVENT_READ, one)
    ready.register(sys.stdin, selectors.EVENT_READ)
    print("ready", flush=True)
    waiting, number = [], 0
    while True:
        wait = max(0, waiting[0][0] - time.monotonic()) if waiting else None
        for key, _ in ready.select(wait):
            if key.fileobj is sys.stdin:
                return
            for _ in range(64):
                try:
                    frame, sender = key.fileobj.recvfrom(65536)
                except OSError:
                    break
                # Not what was sent here a moment ago.
                if sender[2] == socket.PACKET_OUTGOING or dice.random() < loss:
                    continue
                number += 1
                heapq.heappush(waiting, (time.monotonic() + delay, number, frame, key.data))
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            _, _, frame, to = heapq.heappop(waiting)
            try:
                to.send(frame)
            except OSError:
                pass  # The other cable is out, or full: the frame is lost.


main()
