"""Serving the documentation's page."""

from __future__ import annotations

import socket
from pathlib import Path

import httpx
import pytest

from retreasure_assets.errors import ConfigurationError
from retreasure_assets.resources.docs_site import served


def test_until_the_page_is_there_who_asks_is_told_to_wait(tmp_path: Path) -> None:
    page = tmp_path / "index.html"
    with served(page, tmp_path / "data_docs", 0) as url:
        waiting = httpx.get(url)
        assert waiting.status_code == 503
        assert "http-equiv=refresh" in waiting.text
        page.write_text("<p>first")
        assert httpx.get(url).text == "<p>first"
        (tmp_path / "index.html.part").write_text("<p>second")
        (tmp_path / "index.html.part").replace(page)
        assert httpx.get(f"{url}/index.html?x=1").text == "<p>second"


def test_nothing_but_the_page_is_served(tmp_path: Path) -> None:
    page = tmp_path / "index.html"
    page.write_text("<p>page")
    (tmp_path / "manifest.json").write_text("{}")
    with served(page, tmp_path / "data_docs", 0) as url:
        for path in ("/manifest.json", "/../manifest.json", "/index.html/x", "/index.htm"):
            assert httpx.get(f"{url}{path}").status_code == 404, path


def test_data_docs_are_served_once_they_are_written(tmp_path: Path) -> None:
    site = tmp_path / "data_docs" / "expectations"
    with served(tmp_path / "index.html", site.parent, 0) as url:
        assert httpx.get(f"{url}/quality/index.html").status_code == 404
        site.mkdir(parents=True)
        missing = httpx.get(f"{url}/quality/")
        assert (missing.status_code, "retreasure quarantine docs" in missing.text) == (404, True)
        (site.parent / "index.html").write_text("<p>suites")
        (site / "orders.html").write_text("<p>orders")
        (tmp_path / "secret.html").write_text("<p>secret")
        assert httpx.get(f"{url}/quality/").text == "<p>suites"
        assert httpx.get(f"{url}/quality/expectations/orders.html?x=1").text == "<p>orders"
        assert httpx.head(f"{url}/quality/").status_code == 501
        for path in ("/quality/expectations/", "/quality/%2e%2e/secret.html", "/quality/..%2fsecret.html", "/quality"):
            assert httpx.get(f"{url}{path}").status_code == 404, path


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ConfigurationError, match=str(port)), served(tmp_path / "index.html", tmp_path, port):
            pass
