"""A small repository of models behind a local HTTP server, as Zenodo answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

_ENVELOPE = """<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">
<responseDate>2026-01-01T00:00:00Z</responseDate><request>x</request>{}</OAI-PMH>"""
_HEADER = "<header><identifier>oai:zenodo.org:{id}</identifier><datestamp>{date}</datestamp></header>"
_RECORD = """<record>{header}<metadata><rdf:RDF xmlns:rdf="r" xmlns="d"><rdf:Description>
<title>{summary}</title><identifier>https://doi.org/10.5281/zenodo.{id}</identifier><description>d</description>
<isVersionOf><rdf:Description><identifier>https://doi.org/10.5281/zenodo.{concept}</identifier>
</rdf:Description></isVersionOf><keyword>kw{id}</keyword>{keywords}{files}</rdf:Description></rdf:RDF></metadata></record>"""
_FILE = """<distribution><Distribution><downloadURL rdf:resource="{url}"/><byteSize>{size}</byteSize>
</Distribution></distribution>"""
_CARD = """---
id: https://doi.org/10.5281/zenodo.{id}
summary: {summary}
authors: [{{name: A. Author, affiliation: Somewhere}}]
license: CC-BY-4.0
software_name: {software}
software_hints: [kind=safetensors]
language: [{language}]
script: [{script}]
model_type: [{kind}]
metrics: {{cer: 2.5}}
---
A model.
"""


@dataclass
class Model:
    """A record of the repository."""

    id: int
    concept: int
    date: str
    summary: str
    software: str = "kraken"
    kind: str = "recognition"
    language: str = "lat"
    script: str = "Latn"
    content: bytes = b"weights" * 1000
    stated: int | None = None
    uploaded: dict[str, bytes] | None = None
    keywords: tuple[str, ...] = ()

    @property
    def files(self) -> dict[str, bytes]:
        """Files by their names."""
        if self.uploaded is not None:
            return self.uploaded
        return {"README.md": _CARD.format(**vars(self)).encode(), "model.safetensors": self.content}


TOKEN = "secret-token"
Answer = tuple[int, str, bytes]


def _json(value: object, status: int = 200) -> Answer:
    return status, "application/json", json.dumps(value).encode()


@dataclass
class Draft:
    """An upload before it is published.

    Attributes:
        concept: Concept of which it becomes a version.
        files: What was uploaded.
        metadata: What the record is to say.
    """

    concept: int
    files: dict[str, bytes] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    published: bool = False


@dataclass
class Repository:
    """Records and what was asked of them."""

    models: list[Model]
    base: str = ""
    requests: list[str] = field(default_factory=list)
    drafts: dict[int, Draft] = field(default_factory=dict)
    refused: str = ""

    def change(self, method: str, target: str, content: bytes) -> Answer:
        """Answers a request that makes, fills or publishes a draft."""
        self.requests.append(f"{method} {target}")
        url, query = urlsplit(target), parse_qs(urlsplit(target).query)
        parts = url.path.strip("/").split("/")
        if query.get("access_token") != [TOKEN]:
            return _json({"message": "Permission denied"}, 403)
        if self.refused and self.refused in target:
            return _json({"message": f"Bad {self.refused}"}, 400)
        if parts[0] == "bucket":
            self.drafts[int(parts[1])].files[parts[2]] = content
            return _json({}, 201)
        if parts[-1] == "versions":
            concept = self._model(int(parts[2])).concept
            return _json({"id": self._new_draft(concept)}, 201)
        if method == "POST" and parts[-1] == "depositions":
            return _json(self._described(self._new_draft(None)), 201)
        number = int(parts[3])
        if parts[-1] == "publish":
            self._publish(number)
            return _json({"doi": f"10.5281/zenodo.{number}"}, 202)
        self.drafts[number].metadata = json.loads(content)["metadata"]
        return _json(self._described(number))

    def _new_draft(self, concept: int | None) -> int:
        number = 901 + 10 * len(self.drafts)
        self.drafts[number] = Draft(number - 1 if concept is None else concept)
        return number

    def _described(self, number: int) -> dict[str, Any]:
        links = {"bucket": f"{self.base}/bucket/{number}"}
        reserved = {"prereserve_doi": {"doi": f"10.5281/zenodo.{number}"}}
        return {"id": number, "links": links, "metadata": reserved}

    def _publish(self, number: int) -> None:
        draft = self.drafts[number]
        draft.published = True
        title = draft.metadata["title"]
        date = f"2026-01-01T00:{len(self.drafts):02}:00Z"
        keywords = tuple(draft.metadata.get("keywords", ()))
        self.models.append(
            Model(number, draft.concept, date, title, uploaded=dict(draft.files), keywords=keywords)
        )

    def answer(self, target: str) -> Answer:
        """Status, type and content for a request."""
        self.requests.append(target)
        url, query = urlsplit(target), parse_qs(urlsplit(target).query)
        parts = url.path.strip("/").split("/")
        if parts[:2] == ["api", "deposit"]:
            return _json(self._described(int(parts[3])))
        if parts[0] == "files":
            return 200, "application/octet-stream", self._model(int(parts[1])).files[parts[2]]
        if parts[0] == "api":
            versions = [model for model in self.models if int(parts[2]) in (model.id, model.concept)]
            if not versions:
                return 404, "application/json", b"{}"
            newest = max(versions, key=lambda model: model.date)
            return 200, "application/json", json.dumps({"doi": f"10.5281/zenodo.{newest.id}"}).encode()
        verb = query["verb"][0]
        found = self.models
        if verb == "GetRecord":
            number = int(query["identifier"][0].rpartition(":")[2])
            found = [model for model in self.models if model.id == number]
            if not found:
                return 404, "text/xml", b"<none/>"
        items = "".join(self._header(m) if verb == "ListIdentifiers" else self._record(m) for m in found)
        return 200, "text/xml", _ENVELOPE.format(f"<{verb}>{items}</{verb}>").encode()

    def _model(self, number: int) -> Model:
        return next(model for model in self.models if model.id == number)

    def _header(self, model: Model) -> str:
        return _HEADER.format(id=model.id, date=model.date)

    def _record(self, model: Model) -> str:
        files = "".join(
            _FILE.format(
                url=f"{self.base}/files/{model.id}/{name}",
                size=model.stated if model.stated and name != "README.md" else len(content),
            )
            for name, content in model.files.items()
        )
        keywords = "".join(f"<keyword>{word}</keyword>" for word in model.keywords)
        fields = {**vars(model), "keywords": keywords}
        return _RECORD.format(header=self._header(model), files=files, **fields)


@contextmanager
def served(repository: Repository) -> Iterator[Repository]:
    """Serves a repository on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(repository.answer(self.path))

        def do_POST(self) -> None:
            self._send(repository.change("POST", self.path, self._body()))

        def do_PUT(self) -> None:
            self._send(repository.change("PUT", self.path, self._body()))

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def _send(self, answer: Answer) -> None:
            status, kind, content = answer
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        repository.base = f"http://127.0.0.1:{server.server_port}"
        try:
            yield repository
        finally:
            server.shutdown()
            thread.join()
