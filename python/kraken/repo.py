"""The public repository of models (HTRMoPo, on Zenodo), through the package ``htrmopo``.

What was fetched once can be asked for again without network (``offline=True``): the listing and
records from the package's cache, models from the user's data folder.
"""

from __future__ import annotations

import os
import pickle
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from kraken.lib.exceptions import KrakenRepoException

__all__ = [
    "get_description",
    "get_listing",
    "get_model",
    "is_for_kraken",
    "model_folder",
    "newest_first",
    "publish_model",
]

Version = Literal["v0", "v1"]
Listing = Mapping[str, Mapping[str, Any]]

_MODEL_SUFFIXES = (".mlmodel", ".safetensors")
_TIMEOUT = 60.0  # seconds


def get_listing(
    callback: Callable[[int, int], Any] = lambda total, advance: None, *, offline: bool = False
) -> dict[str, dict[str, Any]]:
    """Fetches the records of all models, of whichever software.

    Args:
        callback: Called with the number of records, and how many came in since the last call.
        offline: Use what the last call fetched.

    Returns:
        DOI -> version of the metadata (``v0``, ``v1``) -> record.

    Raises:
        KrakenRepoException: If the repository can't be reached or its answer is unusable, or
            nothing was fetched before.
    """
    if offline:
        return _cached_listing()
    with _translated_errors():
        import htrmopo

        return {doi: dict(record) for doi, record in htrmopo.get_listing(callback).items()}


def get_description(
    model_id: str,
    callback: Callable[..., Any] = lambda: None,
    version: Version | None = None,
    *,
    offline: bool = False,
) -> Any:
    """Fetches the record of a model.

    Args:
        model_id: DOI of a model or, for its newest version, of the concept.
        callback: Called once for each request.
        version: Version of the metadata; by default the highest.
        offline: Look it up in what :func:`get_listing` fetched last.

    Returns:
        An ``htrmopo`` record.

    Raises:
        KrakenRepoException: If there is no such record, or the repository can't be reached.
    """
    if offline:
        return _cached_record(model_id, version)
    with _translated_errors(model_id):
        import htrmopo

        record = htrmopo.get_description(model_id, callback, version)
        if record.version != (version or "v1"):
            # the package keeps the version that was asked for last and answers with it
            _forget(record.doi)
            record = htrmopo.get_description(model_id, callback, version)
    if version is not None and record.version != version:
        raise KrakenRepoException(f"{model_id} has no {version} metadata: ask for {record.version}")
    return record


def _forget(doi: str) -> None:
    """Drops the record that ``htrmopo`` keeps."""
    from platformdirs import user_cache_dir

    name = uuid.uuid5(uuid.NAMESPACE_DNS, f"https://doi.org/{doi}")
    (Path(user_cache_dir("htrmopo")) / f"{name}.pkl").unlink(missing_ok=True)


def get_model(
    model_id: str,
    path: str | os.PathLike[str] | None = None,
    callback: Callable[[int, int], Any] = lambda total, advance: None,
    *,
    offline: bool = False,
) -> Path:
    """Fetches the files of a model, unless they are there.

    They come to a temporary folder first, so that an interrupted download is never taken for a model.

    Args:
        model_id: DOI of a model or, for its newest version, of the concept.
        path: Folder for the files; by default one in the user's data folder.
        callback: Called with the total size and the number of bytes that came in.
        offline: Only use what is there.

    Returns:
        The folder.

    Raises:
        KrakenRepoException: If there is no such model or it isn't for this engine, the
            repository can't be reached, or files are incomplete.
        OSError: If files can't be written.
    """
    if path is None:
        target = model_folder(model_id)
        if _is_complete(target):
            return target
    if offline:
        raise KrakenRepoException(f"{model_id} wasn't fetched before: leave out --offline")
    record = get_description(model_id)
    if not is_for_kraken(record):
        raise KrakenRepoException(f"{model_id} isn't a model for kraken but for {_software(record)}")
    target = Path(path) if path is not None else model_folder(record.doi)
    if path is None and _is_complete(target):
        return target
    _download(record.doi, target, callback)
    return target


def _download(doi: str, target: Path, callback: Callable[[int, int], Any]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    sizes = {"total": 0, "received": 0}

    def count(total: int, advance: int) -> None:
        sizes["total"] = total
        sizes["received"] += advance
        callback(total, advance)

    with tempfile.TemporaryDirectory(prefix=".kraken-", dir=target.parent) as folder:
        with _translated_errors(doi):
            import htrmopo

            htrmopo.get_model(doi, Path(folder).resolve(), count)
        if sizes["total"] > 0 and sizes["received"] != sizes["total"]:
            raise KrakenRepoException(
                f"{doi} came in with {sizes['received']} of {sizes['total']} bytes: try again"
            )
        if not _is_complete(Path(folder)):
            raise KrakenRepoException(f"{doi} holds no model file ({', '.join(_MODEL_SUFFIXES)})")
        target.mkdir(exist_ok=True)
        # The model comes last: it is what makes the folder complete.
        for file in sorted(Path(folder).iterdir(), key=lambda file: file.suffix in _MODEL_SUFFIXES):
            shutil.move(file, target / file.name)


def publish_model(
    model: str | os.PathLike[str],
    card: str,
    access_token: str,
    callback: Callable[[int, int], Any] = lambda total, advance: None,
    *,
    doi: str | None = None,
    private: bool = False,
) -> str:
    """Uploads a model as a new record, or as a new version of one.

    Args:
        model: File, or folder whose files are uploaded.
        card: Model card: YAML between lines ``---``, then Markdown.
        access_token: Token of the user's account; it appears in no message.
        callback: Called with the total size and the number of bytes that went out.
        doi: The record of which this is a new version, or its concept.
        private: Don't ask for a place in the public listing.

    Returns:
        The DOI.

    Raises:
        KrakenRepoException: The repository can't be reached, or refuses the token or the data.
    """
    try:
        import htrmopo
        import jsonschema
        import requests
        from htrmopo.util import get_repo_url
    except ImportError as error:
        raise KrakenRepoException(_missing_package(error)) from error
    host = urlsplit(get_repo_url()).netloc
    try:
        if doi is None:
            return str(htrmopo.publish_model(model, card, access_token, callback, private))
        return str(htrmopo.update_model(doi, model, card, access_token, callback, private))
    # causes aren't chained, since they quote addresses that hold the token
    except (requests.ConnectionError, requests.Timeout):
        message = f"The model repository {host} can't be reached: check the network. {_DRAFT}"
    except requests.HTTPError as error:
        message = _refusal(host, doi, error.response)
    except jsonschema.ValidationError as error:
        message = f"The card doesn't fit the schema of {host}: {error.message}. {_DRAFT}"
    except (requests.RequestException, ValueError, KeyError, AttributeError) as error:
        message = f"{host} answers with something unusable ({type(error).__name__}). {_DRAFT}"
    raise KrakenRepoException(message.replace(access_token, "…"))


_DRAFT = "If a draft was made, it waits in your account on the repository: delete it there."


def _refusal(host: str, doi: str | None, response: Any) -> str:
    """What an answer with an error means."""
    status = response.status_code if response is not None else 0
    if status in (401, 403):
        return (
            f"{host} doesn't accept the access token: it has to be of the record's owner and to have the "
            "scopes deposit:write and deposit:actions."
        )
    if status in (404, 410) and doi is not None:
        return f"There is no record {doi} on {host} of which this could be a new version."
    try:
        reason = str(response.json().get("message", ""))
    except (ValueError, AttributeError):
        reason = ""
    return f"{host} refuses the upload: {' '.join(filter(None, [str(status), reason]))}. {_DRAFT}"


def _missing_package(error: ImportError) -> str:
    return f"The model repository needs the package htrmopo ({error}): install it with `pip install htrmopo`"


def model_folder(model_id: str) -> Path:
    """Where the files of a model are kept."""
    from platformdirs import user_data_dir

    return Path(user_data_dir("htrmopo")) / str(uuid.uuid5(uuid.NAMESPACE_DNS, model_id))


def _is_complete(folder: Path) -> bool:
    return folder.is_dir() and any(file.suffix in _MODEL_SUFFIXES for file in folder.iterdir())


def is_for_kraken(record: Any) -> bool:
    """Whether a record is of a model for this engine."""
    return getattr(record, "software_name", None) == "kraken" or "kraken_pytorch" in (record.keywords or ())


def _software(record: Any) -> str:
    return getattr(record, "software_name", None) or "unknown software"


def newest_first(listing: Listing) -> dict[str, list[Any]]:
    """The records of a listing by their concepts, newest first; of each the highest version of metadata."""
    groups: dict[str, list[Any]] = {}
    for versions in listing.values():
        if versions:
            record = versions[max(versions)]
            groups.setdefault(record.concept_doi or record.doi, []).append(record)
    for records in groups.values():
        records.sort(key=lambda record: record.publication_date, reverse=True)
    return dict(sorted(groups.items(), key=lambda item: item[1][0].publication_date, reverse=True))


class _CacheReader(pickle.Unpickler):
    """Reads what htrmopo pickles, and nothing else."""

    _CLASSES = frozenset(
        {
            ("collections", "defaultdict"),
            ("builtins", "dict"),
            ("datetime", "datetime"),
            ("datetime", "timezone"),
            ("datetime", "timedelta"),
            ("dateutil.tz.tz", "tzlocal"),
            ("dateutil.tz.tz", "tzoffset"),
            ("dateutil.tz.tz", "tzutc"),
            ("htrmopo.record", "v0RepositoryRecord"),
            ("htrmopo.record", "v1RepositoryRecord"),
        }
    )

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._CLASSES:
            raise pickle.UnpicklingError(f"{module}.{name} doesn't belong in a listing")
        return super().find_class(module, name)


def _cached_listing() -> dict[str, dict[str, Any]]:
    from platformdirs import user_cache_dir

    path = Path(user_cache_dir("htrmopo")) / "listing.pkl"
    try:
        with path.open("rb") as file:
            content = _CacheReader(file).load()["content"]
        return {doi: dict(record) for doi, record in content.items()}
    except FileNotFoundError:
        raise KrakenRepoException(
            "No listing was fetched before: run `kraken list` once with a network"
        ) from None
    except Exception as error:  # a damaged pickle raises anything
        raise KrakenRepoException(
            f"The cached listing {path} can't be read ({error}): delete it and run `kraken list`"
        ) from error


def _cached_record(model_id: str, version: Version | None) -> Any:
    listing = _cached_listing()
    versions = listing.get(model_id)
    if versions is None:
        records = newest_first(listing).get(model_id, [])
        versions = listing[records[0].doi] if records else None
    if not versions:
        raise KrakenRepoException(
            f"{model_id} isn't in the listing that was fetched last: leave out --offline"
        )
    if version is not None and version not in versions:
        raise KrakenRepoException(f"{model_id} has no {version} metadata: ask for {max(versions)}")
    return versions[version or max(versions)]


@contextmanager
def _translated_errors(model_id: str | None = None) -> Iterator[None]:
    """Turns everything that goes wrong on the way to the repository into one line that names it."""
    try:
        import requests
        from htrmopo import repo, util
        from lxml.etree import LxmlError
        from sickle.oaiexceptions import OAIError
    except ImportError as error:
        raise KrakenRepoException(_missing_package(error)) from error
    repo.sickle.request_args.setdefault("timeout", _TIMEOUT)
    host = urlsplit(util.get_oai_url()).netloc
    what = f"No usable record {model_id} on {host}" if model_id else f"The listing of {host} is unusable"
    try:
        yield
    except (requests.ConnectionError, requests.Timeout) as error:
        raise KrakenRepoException(
            f"The model repository {host} can't be reached: check the network, or use what was "
            "fetched before with --offline"
        ) from error
    except requests.HTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        if model_id and status in (400, 404, 410, 422):
            raise KrakenRepoException(
                f"There is no record {model_id} on {host}: see `kraken list` for the ids"
            ) from error
        raise KrakenRepoException(f"The model repository {host} answers with an error: {error}") from error
    except (OAIError, LxmlError, requests.RequestException, ValueError, KeyError, AttributeError) as error:
        raise KrakenRepoException(f"{what}: {' '.join(str(error).split())}") from error
