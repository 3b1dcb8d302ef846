"""A SYN and a datagram to every port of an address but one: `port-sweep.py ADDRESS SPARED_TCP_PORT`."""

import socket
import sys

address, spared = sys.argv[1], int(sys.argv[2])
family = socket.AF_INET6 if ":" in address else socket.AF_INET
datagrams = socket.socket(family, socket.SOCK_DGRAM)
for port in range(1, 65536):
    datagrams.sendto(b"x", (address, port))
    if port == spared:
        continue
    with socket.socket(family, socket.SOCK_STREAM) as connection:
        # Closed before it is answered: one SYN and no other.
        connection.setblocking(False)
        connection.connect_ex((address, port))
