"""A headless Chromium without network, and a report opened in it from a file."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from trocar.reporting.report import Report

ARGUMENTS = [
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
]


@dataclass
class Opened:
    """A page and what happened on it."""

    page: Page
    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    executable = os.environ.get("TROCAR_CHROMIUM") or shutil.which("chromium")
    if executable is None:
        pytest.skip("no Chromium: apt install chromium, or set TROCAR_CHROMIUM")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def open_report(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Opened]]:
    """Opens a report from a file, offline, in a browser of a language; waits for the viewer unless told not to."""
    contexts = []

    def opened(report: Report, *, locale: str = "en-US", before: str = "") -> Opened:
        path: Path = report.save(tmp_path_factory.mktemp("report") / "report.html")
        context = browser.new_context(viewport={"width": 1280, "height": 900}, locale=locale)
        contexts.append(context)
        context.set_offline(True)
        result = Opened(context.new_page())
        result.page.on("console", lambda message: result.console.append(f"{message.type}: {message.text}"))
        result.page.on("pageerror", lambda error: result.console.append(f"error: {error}"))
        result.page.on("request", lambda request: result.requests.append(request.url))
        if before:
            result.page.add_init_script(before)
        result.page.goto(path.as_uri())
        result.page.wait_for_selector("html[data-viewer]", state="attached", timeout=120_000)
        return result

    yield opened
    for context in contexts:
        context.close()
