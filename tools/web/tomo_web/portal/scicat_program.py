# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Speaks with SciCat by scitacean, for scicat.py: each line of standard input is {"call", "arguments"}, each line of the answer {"value"} or
{"error", "kind"}. It runs in another Python than the server, and imports nothing of it."""

import base64
import binascii
import datetime
import hashlib
import json
import os
import re
import sys

try:
    import httpx
    import pydantic
    from scitacean import PID, ScicatCommError, Thumbnail, model
    from scitacean.client import ScicatClient
except ImportError as missing:
    print(json.dumps({"error": f"{sys.executable} has no scitacean ({missing}): tools/setup --portal installs it", "kind": "refused"}), flush=True)
    sys.exit(1)

PAGE = 100            # data sets of one answer
MOST = 10_000         # data sets of a proposal
PATIENCE = datetime.timedelta(seconds=20)
MARK = "gst-tomo:"    # of a keyword by which a result is found again
SHORT = ("pid", "datasetName", "proposalIds", "sourceFolder", "owner", "numberOfFiles", "size", "creationTime", "type")
KEPT = ("accessGroups", "instrumentGroup", "instrumentIds", "orcidOfOwner", "ownerEmail", "ownerGroup", "principalInvestigators", "proposalIds",
        "sampleIds", "techniques")  # of the raw data set
SECRET = re.compile(r"[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}|Bearer \S+")


class Told(Exception):
    """An error for people: kind is away, login or refused."""

    def __init__(self, kind, text):
        super().__init__(text)
        self.kind = kind


class Talk:
    """settings: those of PortalSettings, as a dict"""

    def __init__(self, settings, client=None):
        self._settings, self._client, self._token = settings, client, None

    # Calls

    def health(self):
        found = self._ask("users/my/self")
        return str(found.get("username") or found.get("email") or found.get("id"))

    def find(self, proposals, search="", limit=None):
        where = {"type": "raw", "proposalIds": {"$in": proposals}}
        if search:
            where["datasetName"] = {"$regex": re.escape(search), "$options": "i"}
        found = []
        while len(found) < min(limit or MOST, MOST):
            page = self._query(where, {"limit": PAGE, "skip": len(found), "sort": {"creationTime": "desc"}}, SHORT)
            found += page
            if len(page) < PAGE:
                break
        return [raw_of(one) for one in found[:limit or MOST]]

    def files(self, number):
        found = self._dataset(number, ["origdatablocks"])
        files = [file for block in found.get("origdatablocks") or () for file in block.get("dataFileList") or ()]
        return {"raw": raw_of(found), "files": [{"path": file["path"], "size": int(file.get("size") or 0), "time": seconds(file.get("time")),
                                                 "checksum": file.get("chk")} for file in files]}

    def register(self, derived):
        known = self._known(derived["key"])
        number = known["pid"] if known else self._create(derived)
        if not (known and known.get("origdatablocks")):
            self._done(lambda: self._scicat().create_orig_datablock(datablock_of(number, derived["files"])))
        return str(number)

    def attach(self, number, key, caption, png):
        found = self._dataset(number, ["attachments"])
        identity = f"gst-tomo-{hashlib.sha256((number + key).encode()).hexdigest()[:24]}"
        if any(one.get("aid") == identity or one.get("caption") == caption for one in found.get("attachments") or ()):
            return
        attachment = model.UploadAttachment(
            aid=identity, caption=caption, ownerGroup=found["ownerGroup"], accessGroups=found.get("accessGroups"),
            relationships=[model.AttachmentRelationship(targetId=PID.parse(number), targetType="dataset")],
            thumbnail=Thumbnail(mime="image/png", data=base64.b64decode(png)))
        self._done(lambda: self._scicat().create_attachment(attachment))

    # Within

    def _known(self, key):
        found = self._query({"type": "derived", "keywords": MARK + key}, {"limit": 1}, None, ["origdatablocks"])
        return found[0] if found else None

    def _create(self, derived):
        raw = self._dataset(derived["raw"])
        contact = raw.get("contactEmail") or derived["contact"]
        if not contact:
            raise Told("refused", "the raw data set has no contact: [portal] contact names one for such")
        try:
            made = model.UploadDataset(
                type="derived", datasetName=derived["name"], description=derived["description"], owner=raw.get("owner") or raw["ownerGroup"],
                contactEmail=contact, sourceFolder=derived["folder"], creationTime=moment(derived["created"]), startTime=moment(derived["began"]),
                endTime=moment(derived["ended"]), inputDatasets=[PID.parse(one) for one in derived["inputs"]],
                usedSoftware=list(derived["software"]), jobParameters=derived["parameters"], scientificMetadata=derived["facts"],
                keywords=["gst-tomo", MARK + derived["key"]], isPublished=False, **kept_of(raw))
        except pydantic.ValidationError as e:
            raise Told("refused", f"the result can't be described for SciCat: {first_of(e)}") from None
        return self._done(lambda: self._scicat().create_dataset_model(made)).pid

    def _dataset(self, number, include=()):
        found = self._ask(f"datasets/{quoted(number)}", version="v4", params={"include": list(include)} if include else None)
        if not found:
            raise Told("refused", f"SciCat has no data set {number}")
        return found

    def _query(self, where, limits, fields, include=None):
        asked = {"where": where, "limits": limits, **({"fields": list(fields)} if fields else {}), **({"include": include} if include else {})}
        return self._ask("datasets", version="v4", params={"filter": json.dumps(asked)}) or []

    def _ask(self, path, version="v3", params=None):
        return self._done(lambda: self._scicat().call_endpoint(cmd="get", url=path, version=version, params=params, operation=path))

    def _scicat(self):
        """The client, a new one where the token is another one now."""
        if self._client is not None and self._token is None:
            return self._client  # of a test
        token = self._read_token()
        if token != self._token:
            self._client = ScicatClient.from_token(self._settings["address"], token, PATIENCE, allow_http=self._settings["insecure"])
            self._token = token
        return self._client

    def _read_token(self):
        file, variable = self._settings["token_file"], self._settings["token_variable"]
        if file:
            try:
                with open(file, encoding="ascii") as opened:
                    token = opened.read(1 << 16).strip()
            except (OSError, ValueError) as e:
                raise Told("login", f"the portal's token can't be read: {getattr(e, 'strerror', None) or 'the file is no text'}") from None
        else:
            token = os.environ.get(variable or "", "").strip()
        if not token:
            raise Told("login", "there is no token for the portal: [portal] token-file or token-variable names where it is")
        return token

    def _done(self, call):
        """What a call returns, with its errors in words for people."""
        try:
            return call()
        except ScicatCommError as e:
            raise of_status(str(e), self._token) from None
        except httpx.HTTPError as e:
            raise Told("away", f"the portal can't be reached: {plain(str(e) or type(e).__name__, self._token)}") from None
        except RuntimeError as e:  # of scitacean's ExpiringToken
            if "expired" not in str(e):
                raise
            raise Told("login", "the portal's token has expired: put a new one in its place") from None
        except ValueError as e:
            raise Told("away", f"the portal answers what can't be understood: {plain(str(e), self._token)}") from None


def of_status(text, token):
    """An error by the status in scitacean's sentence."""
    match = re.search(r"': (\d{3}) [^:]*: ?(.*)", text, re.DOTALL)
    status, said = (int(match[1]), plain(reason_in(match[2]), token)) if match else (0, plain(text, token))
    if status == 401:
        return Told("login", "SciCat does not take the token: it has expired, or is none of this portal's")
    if status == 403:
        return Told("refused", f"SciCat does not let this user do that: {said}")
    if status in (408, 425, 429) or status >= 500:
        return Told("away", f"SciCat can't answer now ({status}): {said}")
    return Told("refused", f"SciCat refuses it ({status}): {said}" if status else said)


def reason_in(body):
    try:
        found = json.loads(body).get("message", body)
    except (ValueError, AttributeError):
        found = body
    return "; ".join(map(str, found)) if isinstance(found, list) else str(found)


def plain(text, token):
    """One line without secrets."""
    text = " ".join(text.replace(token, "***").split() if token else text.split())
    return SECRET.sub("***", text)[:300]


def first_of(error):
    one = error.errors()[0]
    return f"{'.'.join(map(str, one['loc']))}: {one['msg']}"


def raw_of(found):
    return {"id": str(found["pid"]), "name": found.get("datasetName") or str(found["pid"]),
            "proposal": ", ".join(filter(None, found.get("proposalIds") or ())), "folder": str(found.get("sourceFolder") or ""), "owner": found.get("owner") or "", "files": int(found.get("numberOfFiles") or 0),
            "size": int(found.get("size") or 0), "created": seconds(found.get("creationTime"))}


def kept_of(raw):
    return {name: raw[name] for name in KEPT if raw.get(name)}


def datablock_of(number, files):
    made = [model.UploadDataFile(path=file["path"], size=file["size"], time=moment(file["time"]), chk=file["checksum"]) for file in files]
    return model.UploadOrigDatablock(datasetId=PID.parse(str(number)), dataFileList=made, size=sum(file["size"] for file in files), chkAlg="sha256")


def seconds(text):
    """Of a time as SciCat writes it."""
    try:
        return datetime.datetime.fromisoformat(text).timestamp() if text else None
    except (TypeError, ValueError):
        return None


def moment(since):
    return None if since is None else datetime.datetime.fromtimestamp(since, datetime.timezone.utc)


def quoted(number):
    from urllib.parse import quote
    return quote(number, safe="")


def answer(talk, line):
    try:
        asked = json.loads(line)
        if asked["call"] not in ("health", "find", "files", "register", "attach"):
            raise Told("refused", "nobody knows that call")
        return {"value": getattr(talk, asked["call"])(**asked["arguments"])}
    except Told as e:
        return {"error": str(e), "kind": e.kind}
    except (KeyError, TypeError, AttributeError, binascii.Error, pydantic.ValidationError) as e:
        return {"error": f"SciCat answers what can't be understood: {plain(str(e), None)}", "kind": "refused"}


def main():
    talk = Talk(json.loads(sys.argv[1]))
    for line in sys.stdin:
        print(json.dumps(answer(talk, line)), flush=True)


if __name__ == "__main__":
    main()
