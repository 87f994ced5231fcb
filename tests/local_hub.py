"""A Hugging Face Hub on this machine, as far as publishing and loading small repositories needs one.

    with LocalHub() as hub: subprocess.run(..., env={..., "HF_ENDPOINT": hub.url})

Repositories have one branch; every file is uploaded inside its commit.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote


class LocalHub:
    """The server; `repositories` maps ``"spaces/name/space"`` to the content of its files."""

    def __init__(self) -> None:
        self.repositories: dict[str, dict[str, bytes]] = {}
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self.server.daemon_threads = True
        self.server.repositories = self.repositories
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

    do_GET = do_POST = do_HEAD = answer

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
        name = f"{request['type']}s/{request['organization']}/{request['name']}"
        new = name not in self.server.repositories
        self.server.repositories.setdefault(name, {})
        self.send(200 if new else 409, {"url": f"http://{self.headers['Host']}/{name}"})

    def preupload(self, body: bytes, name: str) -> None:
        files = [
            {"path": file["path"], "uploadMode": "regular", "shouldIgnore": False} for file in json.loads(body)["files"]
        ]
        self.send(200, {"files": files})

    def commit(self, body: bytes, name: str) -> None:
        for line in body.splitlines():
            operation = json.loads(line)
            if operation["key"] == "file":
                file = operation["value"]
                self.server.repositories[name][file["path"]] = base64.b64decode(file["content"])
        self.send(200, {"success": True, "commitOid": "0" * 40, "commitUrl": f"http://{self.headers['Host']}/{name}"})

    def information(self, body: bytes, name: str) -> None:
        if name not in self.server.repositories:
            return self.send(404, {"error": "Repository not found"}, X_Error_Code="RepoNotFound")
        files = [{"rfilename": file} for file in self.server.repositories[name]]
        return self.send(200, {"id": name.partition("/")[2], "sha": "0" * 40, "siblings": files})

    def resolve(self, body: bytes, name: str, revision: str, file: str) -> None:
        content = self.server.repositories.get(name, {}).get(file) if revision == "main" else None
        if content is None:
            return self.send(404, {"error": "Entry not found"}, X_Error_Code="EntryNotFound")
        etag = f'"{hashlib.sha1(content).hexdigest()}"'
        return self.send(200, content, ETag=etag, X_Repo_Commit="0" * 40)


_NAME = r"((?:models|datasets|spaces)/[^/]+/[^/]+)"
_ROUTES = [
    (r"api/validate-yaml", _Handler.check_card),
    (r"api/repos/create", _Handler.create),
    (rf"api/{_NAME}/preupload/main", _Handler.preupload),
    (rf"api/{_NAME}/commit/main", _Handler.commit),
    (rf"api/{_NAME}(?:/revision/main)?", _Handler.information),
    (rf"{_NAME}/resolve/([^/]+)/(.+)", _Handler.resolve),
]
