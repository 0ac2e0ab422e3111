# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""scicat_server.py: the part of SciCat's interface that tomo-web uses, for tests. Bodies are checked by scicat-sdk-py, the models that SciCat
generates from its backend; answers are theirs, too. It runs in a Python of its own, and tells its port.

    GET  /control/state          what it has, how often it was asked, and which bodies were wrong
    POST /control                {"begin": TOKEN}: it is empty, and takes this token; {"down": true}: answers 503; {"cut": true}: closes connections, {"cut": "POST"}: those of this method; {"token": ...}: another one from now on;
                                 {"refuse": "..."}: refuses to create data sets; {"raw": {...}, "files": [...]}: a new raw data set
"""

import http.server
import json
import re
import urllib.parse

import pydantic
from scicat_sdk_py.models.create_attachment_v4_dto import CreateAttachmentV4Dto
from scicat_sdk_py.models.create_dataset_dto import CreateDatasetDto
from scicat_sdk_py.models.create_orig_datablock_dto import CreateOrigDatablockDto
from scicat_sdk_py.models.output_dataset_dto import OutputDatasetDto

NOW = "2026-01-02T03:04:05.000Z"


def strict(model):
    """The same model, which refuses members that it does not know: the backend does (forbidNonWhitelisted)."""
    return type(model.__name__, (model,), {"model_config": pydantic.ConfigDict(**{**model.model_config, "extra": "forbid"})})


DATASET, BLOCK, ATTACHMENT = map(strict, (CreateDatasetDto, CreateOrigDatablockDto, CreateAttachmentV4Dto))


class Catalogue:
    def __init__(self, token):
        self.token = token
        self.datasets, self.blocks, self.attachments, self.wrong, self.asked = {}, [], [], [], []
        self.down = self.cut = False
        self.refuse = None

    def add(self, body):
        pid = body.get("pid") or f"20.500.1/{len(self.datasets) + 1:04d}"
        stored = {"numberOfFiles": 0, "size": 0, "packedSize": 0, "numberOfFilesArchived": 0, "isPublished": False, **body, "pid": pid, "createdAt": NOW,
                  "updatedAt": NOW, "createdBy": "tester", "updatedBy": "tester", "version": "v4", "datasetlifecycle": {}}
        OutputDatasetDto.from_dict({**stored, "datasetlifecycle": LIFECYCLE})  # what the backend would answer
        self.datasets[pid] = stored
        return stored

    def add_block(self, body):
        self.blocks.append({**body, "_id": f"block{len(self.blocks)}"})
        of = self.datasets[body["datasetId"]]
        of["numberOfFiles"] += len(body["dataFileList"])
        of["size"] += body["size"]
        return self.blocks[-1]

    def shown(self, one, include):
        found = dict(one)
        if "origdatablocks" in include:
            found["origdatablocks"] = [block for block in self.blocks if block["datasetId"] == one["pid"]]
        if "attachments" in include:
            found["attachments"] = [attachment for attachment in self.attachments
                                    if any(relation["targetId"] == one["pid"] for relation in attachment["relationships"])]
        return found

    def query(self, asked):
        found = [one for one in self.datasets.values() if all(fits(one.get(name), wanted) for name, wanted in asked.get("where", {}).items())]
        limits = asked.get("limits", {})
        for name, way in limits.get("sort", {}).items():
            found.sort(key=lambda one: one[name], reverse=way == "desc")
        found = found[limits.get("skip", 0):][:limits.get("limit", 100)]
        found = [self.shown(one, asked.get("include", [])) for one in found]
        return [{name: one[name] for name in asked["fields"] if name in one} for one in found] if "fields" in asked else found


LIFECYCLE = {"archivable": False, "retrievable": False, "publishable": False, "dateOfDiskPurging": NOW, "archiveRetentionTime": NOW, "dateOfPublishing": NOW,
             "publishedOn": NOW, "isOnCentralDisk": True, "archiveStatusMessage": "", "retrieveStatusMessage": "", "archiveReturnMessage": {},
             "retrieveReturnMessage": {}, "exportedTo": "", "retrieveIntegrityCheck": False}


def fits(value, wanted):
    """As MongoDB compares: a list fits where one of its members does."""
    values = value if isinstance(value, list) else [value]
    if not isinstance(wanted, dict):
        return wanted in values
    if "$in" in wanted:
        return any(one in wanted["$in"] for one in values)
    return any(re.search(wanted["$regex"], str(one), re.IGNORECASE if "i" in wanted.get("$options", "") else 0) for one in values)


class Handler(http.server.BaseHTTPRequestHandler):
    catalogue = Catalogue("")

    def do_GET(self):
        self.answer("GET")

    def do_POST(self):
        self.answer("POST")

    def answer(self, method):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urllib.parse.urlsplit(self.path)
        parameters = urllib.parse.parse_qs(url.query)
        if url.path.startswith("/control"):
            return self.control(method, body)
        catalogue = self.catalogue
        catalogue.asked.append(f"{method} {urllib.parse.unquote(url.path)}")
        if catalogue.cut in (True, method):
            self.close_connection = True
            return self.connection.close()
        if catalogue.down:
            return self.send(503, {"statusCode": 503, "message": "Service Unavailable"})
        if self.headers.get("Authorization") != f"Bearer {catalogue.token}" or "token" in url.query:
            return self.send(401, {"statusCode": 401, "message": "Unauthorized"})
        try:
            self.send(*self.of(method, url.path, parameters, json.loads(body) if body else None))
        except pydantic.ValidationError as e:
            catalogue.wrong.append(str(e))
            self.send(400, {"statusCode": 400, "message": [str(e)], "error": "Bad Request"})

    def of(self, method, path, parameters, body):
        catalogue = self.catalogue
        if (method, path) == ("GET", "/api/v3/users/my/self"):
            return 200, {"username": "tester", "email": "tester@example.org", "id": "1"}
        if (method, path) == ("GET", "/api/v4/datasets"):
            return 200, catalogue.query(json.loads(parameters.get("filter", ["{}"])[0]))
        if (method, path) == ("POST", "/api/v4/datasets"):
            if catalogue.refuse:
                return 400, {"statusCode": 400, "message": [catalogue.refuse], "error": "Bad Request"}
            DATASET.model_validate(body)
            return 201, catalogue.add(body)
        if (method, path) == ("POST", "/api/v4/origdatablocks"):
            BLOCK.model_validate(body)
            if body["datasetId"] not in catalogue.datasets:
                return 400, {"statusCode": 400, "message": "Invalid datasetId"}
            return 201, catalogue.add_block(body)
        if (method, path) == ("POST", "/api/v4/attachments"):
            ATTACHMENT.model_validate(body)
            catalogue.attachments.append(body)
            return 201, {**body, "createdAt": NOW, "updatedAt": NOW, "createdBy": "tester", "updatedBy": "tester"}
        if method == "GET" and path.startswith("/api/v4/datasets/"):
            found = catalogue.datasets.get(urllib.parse.unquote(path.removeprefix("/api/v4/datasets/")))
            return (200, catalogue.shown(found, parameters.get("include", []))) if found else (404, {"statusCode": 404, "message": "dataset not found"})
        return 404, {"statusCode": 404, "message": f"Cannot {method} {path}"}

    def control(self, method, body):
        catalogue = self.catalogue
        if method == "POST":
            asked = json.loads(body)
            if "begin" in asked:
                catalogue = Handler.catalogue = Catalogue(asked["begin"])
            for name in ("down", "cut", "token", "refuse"):
                if name in asked:
                    setattr(catalogue, name, asked[name])
            if "raw" in asked:
                added = catalogue.add(asked["raw"])
                if asked["files"]:
                    catalogue.add_block({"datasetId": added["pid"], "size": sum(file["size"] for file in asked["files"]), "dataFileList": asked["files"]})
        self.send(200, {"datasets": catalogue.datasets, "blocks": catalogue.blocks, "attachments": catalogue.attachments, "wrong": catalogue.wrong,
                        "asked": catalogue.asked})

    def send(self, status, value):
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
