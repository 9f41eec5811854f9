#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""send_frame.py INTERFACE HEX...   sends each frame as it is; node has no packet sockets."""
import socket
import sys

with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
    wire.bind((sys.argv[1], 0))
    for frame in sys.argv[2:]:
        wire.send(bytes.fromhex(frame))
