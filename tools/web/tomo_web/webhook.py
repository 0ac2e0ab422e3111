# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Requests to addresses that people name, and that the administrator allows. They lead nowhere else: the name is resolved once, what it
leads to is checked, and that very address is asked; a redirection is a failure."""

import asyncio
import contextlib
import hashlib
import hmac
import ipaddress
import re
import ssl
import time
from urllib.parse import urlsplit

from .errors import Invalid

PATIENCE = 10.0      # seconds for everything
MOST_HEADERS = 1 << 16
PORTS = {"http": 80, "https": 443}


class NotDelivered(Exception):
    """Why, in one sentence."""


def checked(url, allowed):
    """The address. Raises Invalid where it is none, or begins like none of the allowed ones."""
    parts = _parts(url)
    for one in allowed:
        other = _parts(one)
        if parts[:3] == other[:3] and (parts[3] == other[3] or parts[3].startswith(other[3].rstrip("/") + "/")):
            return url
    raise Invalid(f"the administrator allows no address like that; allowed are {', '.join(allowed) or 'none'}", "webhook")


def _parts(url):
    """Scheme, host, port and path."""
    try:
        found = urlsplit(url)
        port = found.port or PORTS.get(found.scheme)
    except ValueError:
        raise Invalid("this is no address", "webhook") from None
    if found.scheme not in PORTS or not found.hostname or "@" in found.netloc or found.fragment or len(url) > 2000:
        raise Invalid("an address is https://NAME/PATH, without a password", "webhook")
    if not re.fullmatch(r"[\x21-\x7e]+", url) or re.search(r"(?i)(^|/)(\.|%2e){1,2}(/|$)|\\|%2f|%5c", found.path):
        raise Invalid("an address has no spaces, no . and .. and no letters that are no ASCII", "webhook")
    return found.scheme, found.hostname.lower(), port, found.path or "/"


def signature(secret, stamp, body):
    """The HMAC by which who gets it knows that it is from here, and not sent again by somebody else."""
    return hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()


async def deliver(url, body, secret, number, networks=()):
    """Sends JSON. networks: addresses that are allowed beside public ones. Raises NotDelivered."""
    scheme, host, port, _ = _parts(url)
    try:
        async with asyncio.timeout(PATIENCE):
            address = await _resolved(host, port, networks)
            status = await _post(url, scheme, host, port, address, body, secret, number)
    except (OSError, ssl.SSLError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as e:
        raise NotDelivered(f"{host} can't be reached: {e or type(e).__name__}") from None
    if not 200 <= status < 300:
        raise NotDelivered(f"{host} answers {status}")


async def _resolved(host, port, networks):
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=1)
    addresses = [ipaddress.ip_address(one[4][0].partition("%")[0]) for one in found]
    addresses = [getattr(one, "ipv4_mapped", None) or one for one in addresses]
    for one in addresses:
        if not (one.is_global and not one.is_multicast) and not any(one in network for network in networks):
            raise NotDelivered(f"{host} leads to {one}, which is no public address")
    return str(addresses[0])


async def _post(url, scheme, host, port, address, body, secret, number):
    """The status of the answer."""
    target = urlsplit(url)
    stamp = str(int(time.time()))
    headers = {"Host": target.netloc, "Content-Type": "application/json", "Content-Length": str(len(body)), "User-Agent": "gst-tomo",
               "X-Tomo-Delivery": str(number), "X-Tomo-Timestamp": stamp, "X-Tomo-Signature": f"sha256={signature(secret, stamp, body)}",
               "Connection": "close"}
    head = f"POST {target.path or '/'}{'?' + target.query if target.query else ''} HTTP/1.1\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"
    context = ssl.create_default_context() if scheme == "https" else None
    reader, writer = await asyncio.open_connection(address, port, ssl=context, server_hostname=host if context else None, limit=MOST_HEADERS)
    try:
        writer.write(head.encode("ascii") + body)
        await writer.drain()
        line = await reader.readuntil(b"\n")
        found = re.match(rb"HTTP/1\.[01] (\d{3})\b", line)
        if not found:
            raise ValueError("this is no answer of HTTP")
        return int(found[1])
    finally:
        writer.close()
        with contextlib.suppress(OSError, ssl.SSLError):
            await writer.wait_closed()
