"""The command that writes the sheets people print: `trocar documents`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trocar.cli.options import DossierFolder, Json
from trocar.cli.output import Output
from trocar.errors import InputError

if TYPE_CHECKING:
    from trocar.reporting.documents.sheet import Kind


def documents(
    dossier: DossierFolder,
    language: Annotated[str, typer.Option(metavar="CODE", help="en, fr or both.")] = "both",
    only: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="One document by its name; several may follow.")
    ] = None,
    output_folder: Annotated[
        Path | None, typer.Option("--output", metavar="DIR", help="Where to write; DOSSIER/documents at first.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write the sheets for board, patient, room and follow-up as HTML and PDF/A, in English and French."""
    from trocar.io.commit import write_atomically
    from trocar.io.dossier import DOCUMENTS, Dossier
    from trocar.reporting.documents.documents import documents as make
    from trocar.reporting.language import CODES
    from trocar.workflow import run as run_stages

    if language not in (*CODES, "both"):
        raise InputError(f"there is no language {language!r}", hint="give en, fr or both")
    kinds = _kinds(only or [])
    output = Output(as_json=as_json)
    opened = Dossier.open(dossier)
    run_stages(opened, until="proposals", on_progress=output.on_progress)
    case, findings = _read(opened)
    codes = CODES if language == "both" else tuple(code for code in CODES if code == language)
    made = make(case, *findings, made=_today(), kinds=kinds, languages=codes)
    folder = output_folder or opened.folder / DOCUMENTS
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for document in made:
        paths = (folder / f"{document.stem}.html", folder / f"{document.stem}.pdf")
        for path, content in zip(paths, (document.html.encode(), document.pdf), strict=True):
            write_atomically(path, content)
            output.line(str(path))
        rows.append(_values(document.sheet.document, document.sheet.language, *paths))
    output.result({"schema": "trocar/documents/1", "documents": rows})


def _values(name: str, language: str, html: Path, pdf: Path) -> dict[str, str]:
    return {"name": name, "language": language, "html": str(html), "pdf": str(pdf)}


def _kinds(names: list[str]) -> tuple[Kind, ...]:
    """The documents of these names in their usual order, all when none is named. Raises `InputError` for another."""
    from trocar.reporting.documents.sheet import KINDS

    for name in names:
        if name not in KINDS:
            raise InputError(f"there is no document {name!r}", hint=f"there are: {', '.join(KINDS)}")
    return tuple(kind for kind in KINDS if not names or kind in names)


def _read(opened: Any) -> tuple[Any, list[Any]]:
    """The case and its findings that are up to date, fields left out, with the planned option on the clock."""
    from trocar.workflow import session

    case, assessed, options = opened.read("case", arrays=False), opened.read("assessment"), opened.read("proposals")
    plan = opened.read("plan") if opened.is_fresh("plan") else None
    simulation = opened.read("simulation", arrays=False) if opened.is_fresh("simulation") else None
    found = (plan, simulation, session(opened))
    return case, [assessed, *options, *(item for item in found if item is not None)]


def _today() -> Any:
    import datetime

    return datetime.datetime.now(tz=datetime.UTC).date()
