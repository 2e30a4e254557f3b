"""Draws the README's picture of the asset graph from the real Dagster UI, with a headless Chromium.

Run it by ``make screenshots``, after ``make demo``.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import URLError
from urllib.request import urlopen

PORT = 3999
IMAGES = Path(__file__).parent / "images"
PAGES = {
    "asset-graph": ("/asset-groups", "1500,660"),
}


def main() -> int:
    """Serve the UI, take each picture, stop the UI."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        print("No Chromium was found. Install the package chromium.", file=sys.stderr)
        return 2
    retreasure = Path(sys.executable).with_name("retreasure")
    server = subprocess.Popen([str(retreasure), "up", "--port", str(PORT)])
    try:
        _wait(f"http://127.0.0.1:{PORT}/server_info")
        for name, (page, size) in PAGES.items():
            _shoot(chromium, f"http://127.0.0.1:{PORT}{page}", size, IMAGES / f"{name}.png")
    finally:
        server.terminate()
        server.wait(timeout=90)
    return 0


def _wait(url: str, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urlopen(url, timeout=5):
                return
        except (URLError, OSError):
            if time.monotonic() > deadline:
                raise
            time.sleep(1)


def _shoot(chromium: str, url: str, size: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as profile:
        subprocess.run(
            [
                chromium,
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--no-first-run",
                f"--user-data-dir={profile}",
                f"--window-size={size}",
                "--virtual-time-budget=25000",
                f"--screenshot={target}",
                url,
            ],
            check=True,
            timeout=180,
        )


if __name__ == "__main__":
    sys.exit(main())
