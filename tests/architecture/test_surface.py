"""What others may import is written down here; a change of it is a change of a promise."""

import importlib
import inspect

import cerver_core
from cerver_core import api, errors
from cerver_core.connect import connect
from cerver_core.wire.problems import STATUS, status_of


def test_the_package_exports_two_names_and_opens_through_connect() -> None:
    assert cerver_core.__all__ == ["CerverError", "__version__"]
    assert next(iter(inspect.signature(connect).parameters)) == "settings"


def test_the_contract_is_a_protocol_per_resource_and_the_host() -> None:
    resources = ["Cerver", "Computes", "Files", "RoutingAdvice", "Sessions", "Transcripts"]
    hosted = ["Account", "Admin", "Logins", "Projects", "Vaults"]
    assert api.__all__ == sorted([*resources, *hosted, "Caller", "ExecStream", "Host"])


def test_secret_fetch_is_importable_where_the_documents_say() -> None:
    assert inspect.iscoroutinefunction(importlib.import_module("cerver_mcp.server").secret_fetch)


def _classes(kind: type[errors.CerverError]) -> list[type[errors.CerverError]]:
    return [kind, *(found for child in kind.__subclasses__() for found in _classes(child))]


def test_every_error_has_a_code_of_its_own_and_an_http_status() -> None:
    public = [kind for kind in _classes(errors.CerverError) if kind.__module__ == "cerver_core.errors"]
    codes = [kind.code for kind in public]
    assert len(codes) == len(set(codes))
    assert sorted(kind.__name__ for kind in public) == sorted(set(errors.__all__) - {"Detail"})
    assert all(400 <= status_of(kind("x")) <= 599 for kind in public)
    assert set(STATUS.values()) >= {400, 401, 403, 404, 409, 429, 503, 504}


def test_the_tree_in_the_docstring_names_every_error() -> None:
    drawn = errors.__doc__ or ""
    assert [name for name in errors.__all__ if name != "Detail" and name not in drawn] == []
