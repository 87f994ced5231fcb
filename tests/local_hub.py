"""A Hugging Face Hub on this machine, as far as publishing and loading small repositories needs one.

    with LocalHub() as hub: subprocess.run(..., env={..., "HF_ENDPOINT": hub.url})

Repositories have one branch, whose commit is always called the same: clients that cache by commit must not meet two
repositories of one name. Parquet and safetensors files are uploaded by Git LFS (clients need HF_HUB_DISABLE_XET=1),
others inside their commit. ``server.asked_for`` holds the files that were wanted, those of ``server.broken`` cannot be
had; the next ``server.commits_to_fail`` commits fail, as where a connection breaks, and those with a file of
``server.refused`` always; ``server.received`` lists the files that were sent, large ones by their digest; the user
"somebody-else" is not us.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote

import pytest

LARGE = (".parquet", ".safetensors")


class LocalHub:
    """The server; `repositories` maps ``"spaces/name/space"`` to the content of its files."""

    def __init__(self) -> None:
        self.repositories: dict[str, dict[str, bytes]] = {}
        self.large_files: dict[str, bytes] = {}
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self.server.daemon_threads = True
        self.server.repositories, self.server.large_files = self.repositories, self.large_files
        self.server.commits_to_fail, self.server.asked_for, self.server.broken = 0, set(), set()
        self.server.received, self.server.refused = [], set()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> LocalHub:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.server.shutdown()
        self.server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments: object) -> None:
        """Says nothing."""

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = unquote(self.path.partition("?")[0]).strip("/")
        for pattern, respond in _ROUTES:
            if match := re.fullmatch(pattern, path):
                return respond(self, body, *match.groups())
        return self.send(404, {"error": f"no such address: {path}"})

    do_GET = do_POST = do_PUT = do_HEAD = answer

    def send(self, status: int, content: object, **headers: str) -> None:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def check_card(self, body: bytes) -> None:
        self.send(200, {"errors": [], "warnings": []})

    def create(self, body: bytes) -> None:
        request = json.loads(body)
        name = f"{request.get('type', 'model')}s/{request['organization']}/{request['name']}"
        if request["organization"] == "somebody-else":
            return self.send(403, {"error": "You don't have the rights to create a repository under this namespace"})
        new = name not in self.server.repositories
        self.server.repositories.setdefault(name, {})
        return self.send(200 if new else 409, {"url": f"http://{self.headers['Host']}/{name.removeprefix('models/')}"})

    def preupload(self, body: bytes, name: str) -> None:
        paths = [file["path"] for file in json.loads(body)["files"]]
        modes = ["lfs" if path.endswith(LARGE) else "regular" for path in paths]
        files = [
            {"path": path, "uploadMode": mode, "shouldIgnore": False} for path, mode in zip(paths, modes, strict=True)
        ]
        self.send(200, {"files": files})

    def commit(self, body: bytes, name: str) -> None:
        if self.server.commits_to_fail:
            self.server.commits_to_fail -= 1
            return self.send(400, {"error": "the connection broke"})
        operations = [json.loads(line) for line in body.splitlines()]
        if self.server.refused & {operation["value"].get("path") for operation in operations}:
            return self.send(400, {"error": "invalid eval.yaml: unknown evaluation framework"})
        for operation in operations:
            file, files = operation["value"], self.server.repositories[name]
            if operation["key"] == "file":
                files[file["path"]] = base64.b64decode(file["content"])
                self.server.received.append(f"{name}/{file['path']}")
            elif operation["key"] == "lfsFile":
                files[file["path"]] = self.server.large_files[file["oid"]]
            elif operation["key"] == "deletedFile":
                del files[file["path"]]
        url = f"http://{self.headers['Host']}/{name}"
        return self.send(200, {"success": True, "commitOid": "0" * 40, "commitUrl": url})

    def offer_upload(self, body: bytes, name: str) -> None:
        address = f"http://{self.headers['Host']}/large"
        objects = [
            file
            if file["oid"] in self.server.large_files
            else {**file, "actions": {"upload": {"href": f"{address}/{file['oid']}"}}}
            for file in json.loads(body)["objects"]
        ]
        self.send(200, {"transfer": "basic", "objects": objects}, Content_Type="application/vnd.git-lfs+json")

    def upload(self, body: bytes, oid: str) -> None:
        self.server.large_files[oid] = body
        self.server.received.append(oid)
        self.send(200, b"")

    def tree(self, body: bytes, name: str, folder: str | None) -> None:
        files, prefix = self.server.repositories[name], f"{folder}/" if folder else ""
        below = [path for path in files if path.startswith(prefix)]
        if folder and not below:
            return self.send(404, {"error": "Entry not found"}, X_Error_Code="EntryNotFound")
        folders = {path[: path.index("/", len(prefix))] for path in below if "/" in path[len(prefix) :]}
        if "recursive=true" not in self.path.lower():
            below = [path for path in below if "/" not in path[len(prefix) :]]
        return self.send(200, [_entry(path, files) for path in below] + [_folder(path) for path in sorted(folders)])

    def paths(self, body: bytes, name: str) -> None:
        if name not in self.server.repositories:
            return self.send(404, {"error": "Repository not found"}, X_Error_Code="RepoNotFound")
        files = self.server.repositories[name]
        asked = json.loads(body)["paths"] if body.startswith(b"{") else parse_qs(body.decode())["paths"]
        found = [_entry(path, files) for path in asked if path in files]
        folders = [path for path in asked if any(file.startswith(f"{path}/") for file in files)]
        return self.send(200, found + [_folder(path) for path in folders])

    def information(self, body: bytes, name: str) -> None:
        if name not in self.server.repositories:
            return self.send(404, {"error": "Repository not found"}, X_Error_Code="RepoNotFound")
        files = [{"rfilename": file} for file in self.server.repositories[name]]
        return self.send(200, {"id": name.partition("/")[2], "sha": "0" * 40, "siblings": files})

    def resolve(self, body: bytes, name: str, revision: str, file: str) -> None:
        self.server.asked_for.add(f"{name}/{file}")
        if f"{name}/{file}" in self.server.broken:
            return self.send(403, {"error": "Forbidden"})
        if name not in self.server.repositories:
            return self.send(404, {"error": "Repository not found"}, X_Error_Code="RepoNotFound")
        content = self.server.repositories[name].get(file) if revision in ("main", "0" * 40) else None
        if content is None:
            return self.send(404, {"error": "Entry not found"}, X_Error_Code="EntryNotFound")
        headers = {"ETag": f'"{hashlib.sha256(content).hexdigest()}"', "X_Repo_Commit": "0" * 40}
        if match := re.match(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            first, last = int(match[1]), int(match[2] or len(content) - 1)
            part = content[first : last + 1]
            return self.send(206, part, Content_Range=f"bytes {first}-{last}/{len(content)}", **headers)
        return self.send(200, content, **headers)


def _entry(path: str, files: dict[str, bytes]) -> dict:
    content, size = files[path], len(files[path])
    blob = hashlib.sha1(b"blob %d\0" % size + content).hexdigest()
    entry = {"type": "file", "path": path, "oid": blob, "size": size}
    if path.endswith(LARGE):
        entry["lfs"] = {"oid": hashlib.sha256(content).hexdigest(), "size": size, "pointerSize": 1}
    return entry


def _folder(path: str) -> dict:
    return {"type": "directory", "path": path, "oid": "0" * 40, "size": 0}


def _of_model(respond: Callable) -> Callable:
    """Addresses of a model's files do not say that it is one."""
    return lambda handler, body, name, *parts: respond(handler, body, f"models/{name}", *parts)


_NAME = r"((?:models|datasets|spaces)/[^/]+/[^/]+)"
_MODEL = r"([^/]+/[^/]+)"
_ROUTES = [
    (r"api/validate-yaml", _Handler.check_card),
    (r"api/repos/create", _Handler.create),
    (rf"api/{_NAME}/preupload/main", _Handler.preupload),
    (rf"{_NAME}\.git/info/lfs/objects/batch", _Handler.offer_upload),
    (r"large/([0-9a-f]{64})", _Handler.upload),
    (rf"api/{_NAME}/tree/\w+(?:/(.+))?", _Handler.tree),
    (rf"api/{_NAME}/paths-info/\w+", _Handler.paths),
    (rf"api/{_NAME}/commit/main", _Handler.commit),
    (rf"api/{_NAME}(?:/revision/\w+)?", _Handler.information),
    (rf"{_NAME}/resolve/([^/]+)/(.+)", _Handler.resolve),
    (rf"{_MODEL}\.git/info/lfs/objects/batch", _of_model(_Handler.offer_upload)),
    (rf"{_MODEL}/resolve/([^/]+)/(.+)", _of_model(_Handler.resolve)),
]


def use_here(hub: LocalHub, home: Path, patch: pytest.MonkeyPatch) -> None:
    """Lets this process talk to a hub, with a token and a cache below ``home``."""
    patch.setattr("huggingface_hub.constants.ENDPOINT", hub.url)
    template = hub.url + "/{repo_id}/resolve/{revision}/{filename}"
    patch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
    patch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    patch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(home))
    patch.setattr("datasets.config.HF_ENDPOINT", hub.url)
    patch.setenv("HF_TOKEN", "hf_test")
