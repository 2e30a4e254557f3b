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
#: The UI fits the graph into the width; in a window less high than this its upper rim is cut off.
PAGES = {
    "asset-graph": ("/asset-groups", "2000,1560"),
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
        if not _answers(server, f"http://127.0.0.1:{PORT}/server_info"):
            return 1
        for name, (page, size) in PAGES.items():
            _shoot(chromium, f"http://127.0.0.1:{PORT}{page}", size, IMAGES / f"{name}.png")
    finally:
        server.terminate()
        server.wait(timeout=90)
    return 0


def _answers(server: subprocess.Popen[bytes], url: str, seconds: float = 120) -> bool:
    """Whether the server, once it is there, answers; False when it ended, and has said why."""
    deadline = time.monotonic() + seconds
    while server.poll() is None:
        try:
            with urlopen(url, timeout=5):
                return True
        except (URLError, OSError):
            if time.monotonic() > deadline:
                raise
            time.sleep(1)
    return False


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
