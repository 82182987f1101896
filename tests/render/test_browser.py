"""The HTML report in a real browser, which may reach nothing."""

import re
import shutil
import subprocess

import pytest

from tests.render.pages import Reader, page

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = (
    "--headless --no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync "
    "--disable-default-apps --no-first-run --disable-extensions --proxy-server=127.0.0.1:9"
).split()


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """The page as the browser holds it, and the addresses asked for, with whether a page asked."""
    if BROWSER is None:
        pytest.skip("no chromium here")
    folder = tmp_path_factory.mktemp("browser")
    file, log = folder / "report.html", folder / "net.json"
    file.write_text(page("checked"), encoding="utf-8")
    command = [
        BROWSER,
        *QUIET,
        f"--user-data-dir={folder / 'profile'}",
        f"--log-net-log={log}",
        "--dump-dom",
        file.as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, check=True, timeout=120)
    asked = [
        (found[1], "not an origin" not in line)
        for line in log.read_text(encoding="utf-8").splitlines()
        if (found := re.search(r'"url":"([^"]+)"', line)) and '"initiator":' in line
    ]
    return done.stdout.decode(), asked


def test_nothing_outside_is_asked_for(seen):
    # The browser asks its maker for updates on its own; those requests come from no page.
    assert [url for url, from_page in seen[1] if from_page] == []


def test_the_browser_holds_every_number_and_picture(seen):
    parsed, written = Reader(seen[0]), Reader(page("checked"))
    assert parsed.numbers == written.numbers
    for tag in ("svg", "table", "h2", "path"):
        assert sum(t == tag for t, _ in parsed.elements) == sum(t == tag for t, _ in written.elements)


def test_the_browser_repairs_no_nesting(seen):
    kept = [tag for tag, _ in Reader(seen[0]).elements]
    written = [tag for tag, _ in Reader(page("checked")).elements]
    assert kept == written
