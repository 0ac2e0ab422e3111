# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Passwords and keys of sessions. What is stored tells neither."""

import asyncio
import base64
import hashlib
import hmac
import secrets

from ..errors import Invalid

# Costs of scrypt: 32 MB and about 0.1 s for each guess.
N, R, P = 1 << 15, 8, 1
MEMORY = 64 << 20
SHORTEST, LONGEST = 8, 256  # characters of a password
_turns = asyncio.Semaphore(2)  # passwords that are looked at together, each with its memory


def checked(password):
    """The password. Raises Invalid where it is too short or too long."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise Invalid(f"a password has {SHORTEST} to {LONGEST} characters", "password")
    return password


def hashed(password):
    """As it is stored: scrypt$N$r$p$salt$hash."""
    salt = secrets.token_bytes(16)
    return "$".join(("scrypt", str(N), str(R), str(P), _text(salt), _text(_scrypt(password, salt, N, R, P))))


def fits(password, stored):
    """Whether a password is that which is stored. None is nobody's password, and takes as long."""
    name, n, r, p, salt, key = (stored or NOBODY).split("$")
    is_same = hmac.compare_digest(_scrypt(password, base64.b64decode(salt), int(n), int(r), int(p)), base64.b64decode(key))
    return is_same and stored is not None


async def fits_soon(password, stored):
    """The same beside the event loop."""
    async with _turns:
        return await asyncio.to_thread(fits, password, stored)


async def hashed_soon(password):
    async with _turns:
        return await asyncio.to_thread(hashed, password)


def new_key():
    return secrets.token_urlsafe(32)


def digest(key):
    """What is stored of a session's key."""
    return hashlib.sha256(key.encode()).hexdigest()


def csrf_of(key, purpose="csrf"):
    """The token that goes with a session: who has no session can't tell it, and it does not tell the session."""
    return hmac.new(key.encode(), purpose.encode(), hashlib.sha256).hexdigest()


def is_same(one, other):
    """Takes the same time, whichever character differs first."""
    return hmac.compare_digest(one.encode(errors="replace"), other.encode(errors="replace"))


def _scrypt(password, salt, n, r, p):
    return hashlib.scrypt(password.encode(errors="surrogatepass"), salt=salt, n=n, r=r, p=p, maxmem=MEMORY, dklen=32)


def _text(some):
    return base64.b64encode(some).decode()


NOBODY = "$".join(("scrypt", str(N), str(R), str(P), _text(bytes(16)), _text(bytes(32))))
