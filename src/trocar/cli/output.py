"""What the commands write: one JSON object, or lines for people; progress only where a terminal shows it."""

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from trocar.errors import TrocarError


class Output:
    """Where one command writes. With `as_json` exactly one JSON object goes to standard output, whatever happens."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json

    def line(self, text: str = "") -> None:
        """A line for a person; nothing with `as_json`."""
        if not self.as_json:
            self._end_progress()
            sys.stdout.write(text + "\n")

    def table(self, rows: Iterable[tuple[str, ...]]) -> None:
        """Columns for a person, aligned."""
        kept = list(rows)
        if not kept:
            return
        widths = [max(len(row[column]) for row in kept) for column in range(len(kept[0]))]
        for row in kept:
            self.line("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())

    def result(self, values: Mapping[str, Any]) -> None:
        """The command's one JSON object; nothing without `as_json`."""
        if self.as_json:
            self._end_progress()
            sys.stdout.write(json.dumps(values, ensure_ascii=False, allow_nan=False, indent=1) + "\n")

    def tell_error(self, message: str, hint: str) -> None:
        """An error as two lines on standard error."""
        self._end_progress()
        sys.stderr.write(f"error: {message}\n" + (f"hint: {hint}\n" if hint else ""))

    def error(self, message: str, hint: str, *, kind: str, exit_code: int) -> None:
        """An error on standard error, and as the JSON object where one was asked for."""
        self.tell_error(message, hint)
        self.result({"error": {"class": kind, "message": message, "hint": hint, "exit_code": exit_code}})

    def refusal(self, error: TrocarError) -> None:
        """A deliberate error of trocar."""
        self.error(str(error), error.hint, kind=type(error).__name__, exit_code=error.exit_code)

    @property
    def on_progress(self) -> Callable[[float, str], None] | None:
        """A progress line on standard error when it is a terminal, else nothing."""
        return self._show_progress if sys.stderr.isatty() else None

    def _show_progress(self, fraction: float, text: str) -> None:
        sys.stderr.write(f"\r\x1b[K{fraction:4.0%} {text}"[:100])
        sys.stderr.flush()

    def _end_progress(self) -> None:
        if sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K")
