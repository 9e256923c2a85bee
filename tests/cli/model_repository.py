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
</rdf:Description></isVersionOf><keyword>kw{id}</keyword>{files}</rdf:Description></rdf:RDF></metadata></record>"""
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

    @property
    def files(self) -> dict[str, bytes]:
        """Files by their names."""
        return {"README.md": _CARD.format(**vars(self)).encode(), "model.safetensors": self.content}


@dataclass
class Repository:
    """Records and what was asked of them."""

    models: list[Model]
    base: str = ""
    requests: list[str] = field(default_factory=list)

    def answer(self, target: str) -> tuple[int, str, bytes]:
        """Status, type and content for a request."""
        self.requests.append(target)
        url, query = urlsplit(target), parse_qs(urlsplit(target).query)
        parts = url.path.strip("/").split("/")
        if parts[0] == "files":
            return 200, "application/octet-stream", self._model(int(parts[1])).files[parts[2]]
        if parts[0] == "api":
            versions = [model for model in self.models if model.concept == int(parts[2])]
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
        return _RECORD.format(header=self._header(model), files=files, **vars(model))


@contextmanager
def served(repository: Repository) -> Iterator[Repository]:
    """Serves a repository on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, kind, content = repository.answer(self.path)
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
