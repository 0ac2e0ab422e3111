# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Uploads that go on where they were broken off, by tus 1.0.0 (https://tus.io): creation, expiration, checksum, termination."""

import base64
import binascii
import email.utils
from typing import List, Optional

from fastapi import APIRouter, Header, Request, Response
from pydantic import BaseModel
from starlette.requests import ClientDisconnect

from . import upload_store
from .access import Person, Role, needs, server_of
from .errors import MISTAKES, Invalid, Refusal
from .upload_store import HASHES, Mismatch, nothing

TABLES = upload_store.TABLES
router = APIRouter(tags=["uploads"])

VERSION = "1.0.0"
BODY = "application/offset+octet-stream"
TUS = {"Tus-Resumable": VERSION}
PROTOCOL = Header("", alias="Tus-Resumable", description=VERSION)
NO_BODY = {204: {"description": "Done"}, 412: {"description": "Another version of tus is wanted"}, **MISTAKES}


class OtherVersion(Refusal):
    status = 412


class WrongChecksum(Refusal):
    status = 460  # of tus


class WrongKind(Refusal):
    status = 415


class Unfinished(BaseModel):
    """An upload. name: with folders before it; offset: bytes that have come; expires: seconds since 1970; place: where the file is, or will be"""
    id: str
    name: str
    place: str
    length: int
    offset: int
    modified: str
    expires: float
    is_whole: bool


def _about(uploads, one):
    return {"id": one.id, "name": one.name, "place": one.place, "length": one.length, "offset": uploads.offset(one), "modified": one.modified,
            "expires": uploads.expires(one), "is_whole": one.is_whole}


@router.options("/uploads", status_code=204, responses={204: {"description": "Headers tell what the server can do"}})
async def tell_protocol(request: Request):
    """What of tus is spoken here."""
    return Response(status_code=204, headers={**TUS, "Tus-Version": VERSION, "Tus-Extension": "creation,expiration,checksum,termination",
                                              "Tus-Checksum-Algorithm": ",".join(HASHES),
                                              "Tus-Max-Size": str(server_of(request).settings.largest_upload)})


@router.get("/uploads", response_model=List[Unfinished], responses=MISTAKES)
async def list_uploads(request: Request, whole: bool = False, person: Person = needs(Role.USER)):
    """Your uploads that are not whole yet; with `whole` all of them."""
    uploads = server_of(request).uploads
    return [_about(uploads, one) for one in uploads.of(person, whole)]


@router.post("/uploads", status_code=201, responses={201: {"description": "Location is the address for the file's bytes"}, **NO_BODY})
async def begin_upload(request: Request, version: str = PROTOCOL, length: int = Header(..., alias="Upload-Length", ge=0, lt=2**62),
                       metadata: str = Header(..., alias="Upload-Metadata", max_length=8192, description="filename, with folders before it, and "
                                              "modified, each with its value in Base64; commas between them"),
                       person: Person = needs(Role.USER)):
    """Announces a file."""
    _check(version)
    about, uploads = _metadata(metadata), server_of(request).uploads
    if "filename" not in about:
        raise Invalid("Upload-Metadata lacks filename", "Upload-Metadata")
    one = uploads.begin(person, about["filename"], length, about.get("modified", ""))
    if not length:
        await uploads.write(one, 0, nothing())
    return Response(status_code=201, headers={**TUS, **_expires(uploads, one), "Location": f"/api/uploads/{one.id}"})


@router.head("/uploads/{number}", responses={200: {"description": "Upload-Offset is the number of bytes that have come"}, **NO_BODY})
async def tell_offset(number: str, request: Request, version: str = PROTOCOL, person: Person = needs(Role.USER)):
    """How far an upload is."""
    _check(version)
    uploads = server_of(request).uploads
    one = uploads.get(number, person)
    return Response(headers={**TUS, **_expires(uploads, one), "Upload-Offset": str(uploads.offset(one)), "Upload-Length": str(one.length),
                             "Cache-Control": "no-store"})


@router.get("/uploads/{number}", response_model=Unfinished, responses=MISTAKES)
async def show_upload(number: str, request: Request, person: Person = needs(Role.USER)):
    """The same as JSON, also of a file that is whole."""
    uploads = server_of(request).uploads
    return _about(uploads, uploads.get(number, person))


@router.patch("/uploads/{number}", status_code=204, responses={**NO_BODY, 415: {"description": f"Wanted {BODY}"}, 460: {"description": "Wrong checksum"}},
              openapi_extra={"x-changes": False, "requestBody": {"required": True, "content": {BODY: {"schema": {"type": "string", "format": "binary"}}}}})
async def append(number: str, request: Request, version: str = PROTOCOL, offset: int = Header(..., alias="Upload-Offset", ge=0, lt=2**62),
                 checksum: Optional[str] = Header(None, alias="Upload-Checksum", max_length=200), person: Person = needs(Role.USER)):
    """The next bytes. Upload-Offset of the answer tells how many have come in all."""
    _check(version)
    if request.headers.get("Content-Type") != BODY:
        raise WrongKind(f"wanted bytes as {BODY}", "Content-Type")
    uploads = server_of(request).uploads
    one = uploads.get(number, person)
    try:
        at = await uploads.write(one, offset, request.stream(), _checksum(checksum))
    except Mismatch:
        raise WrongChecksum("the checksum is that of other bytes: send them again", "Upload-Checksum") from None
    except ClientDisconnect:
        return Response(status_code=204)  # nobody hears it
    return Response(status_code=204, headers={**TUS, **_expires(uploads, one), "Upload-Offset": str(at)})


@router.delete("/uploads/{number}", status_code=204, responses=NO_BODY)
async def give_up(number: str, request: Request, version: str = PROTOCOL, person: Person = needs(Role.USER)):
    """Gives up an upload that is not whole."""
    _check(version)
    uploads = server_of(request).uploads
    await uploads.remove(uploads.get(number, person))
    return Response(status_code=204, headers=TUS)


def _check(version):
    if version != VERSION:
        raise OtherVersion(f"this server speaks tus {VERSION}", "Tus-Resumable")


def _expires(uploads, one):
    return {} if one.is_whole else {"Upload-Expires": email.utils.formatdate(uploads.expires(one), usegmt=True)}


def _metadata(text):
    about = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = pair.partition(" ")
        try:
            about[name] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise Invalid(f"{name[:50]} is no text in Base64", "Upload-Metadata") from None
    return about


def _checksum(text):
    """Name of a hash and its value, or None."""
    if text is None:
        return None
    name, _, value = text.partition(" ")
    try:
        if name in HASHES:
            return name, base64.b64decode(value, validate=True)
    except binascii.Error:
        pass
    raise Invalid(f"wanted one of {', '.join(HASHES)}, and its value in Base64", "Upload-Checksum")
