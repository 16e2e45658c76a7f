"""The commands on a case as a whole: make its dossier, see where it stands, approve its plan."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from trocar.cli.options import DossierFolder, Json
from trocar.cli.output import Output
from trocar.errors import InputError


def new(
    dossier: DossierFolder,
    ct: Annotated[
        Path,
        typer.Option(
            metavar="PATH", help="A DICOM folder with a CT series, or a NIfTI file in HU.", show_default=False
        ),
    ],
    structures: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="A NIfTI label map, a folder of NIfTI masks named by structure, a DICOM SEG or RTSTRUCT.",
        ),
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(metavar="PATH", help="JSON or TOML: what each label of the map is.")
    ] = None,
    structure: Annotated[
        list[str] | None, typer.Option(metavar="NAME=PATH", help="One binary mask; several may follow.")
    ] = None,
    markups: Annotated[
        list[Path] | None, typer.Option(metavar="PATH", help="A Slicer curve or line, for a nerve; several may follow.")
    ] = None,
    clinical: Annotated[Path | None, typer.Option(metavar="PATH", help="TOML with the clinical context.")] = None,
    phase: Annotated[
        list[str] | None, typer.Option(metavar="NAME=PATH", help="A further contrast phase; several may follow.")
    ] = None,
    series: Annotated[
        str | None, typer.Option(metavar="UID", help="UID of the CT series, when the folder holds several.")
    ] = None,
    case_id: Annotated[str | None, typer.Option(metavar="NAME", help="Pseudonym of the case.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing dossier.")] = False,
    as_json: Json = False,
) -> None:
    """Make a dossier from a CT, structures on it and the clinical context.

    Nothing is written unless all of it could be read.
    """
    masks, phases = _named_paths(structure or (), "--structure"), _named_paths(phase or (), "--phase")
    from trocar.assessment.prefill import prefilled
    from trocar.cli.summary import case_lines, filled_lines, missing_lines, missing_values
    from trocar.io.dossier import Dossier
    from trocar.io.reader import read_case

    Dossier.require_free(dossier, replace_existing=force)
    case = read_case(
        ct,
        structures=structures,
        labels=labels,
        structure=masks,
        markups=tuple(markups or ()),
        clinical=clinical,
        phases=phases,
        series=series,
        case_id=case_id,
    )
    case, filled = prefilled(case)
    made = Dossier.create(dossier, case, replace_existing=force)
    output = Output(as_json=as_json)
    for line in (*case_lines(case), *filled_lines(filled), *missing_lines(case)):
        output.line(line)
    output.result({**made.document("case"), "missing": missing_values(case)})


def _named_paths(given: Sequence[str], option: str) -> dict[str, Path]:
    """NAME=PATH options as a mapping. Raises `InputError` for another form or a repeated name."""
    found: dict[str, Path] = {}
    for item in given:
        name, equals, path = item.partition("=")
        if not (name and equals and path):
            raise InputError(f"{option} {item!r} is not NAME=PATH", hint=f"write {option} lesion_1=tumor.nii.gz")
        if name in found:
            raise InputError(f"{option} names {name!r} twice", hint="give each name once")
        found[name] = Path(path)
    return found


def status(
    dossier: DossierFolder,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 when a check fails or anything is stale.")] = False,
    as_json: Json = False,
) -> None:
    """Show each stage, whether it is fresh, when it was made, its failing checks. Compares every file's digest."""
    from trocar.cli.summary import check_line, failed_checks, status_rows, status_values
    from trocar.io.dossier import Dossier, State

    output = Output(as_json=as_json)
    opened = Dossier.open(dossier)
    opened.verify()
    output.table(status_rows(opened))
    failed = failed_checks(opened)
    for entry, check in failed:
        output.line(f"{entry}: {check_line(check)}")
    for approval, stands in opened.approvals():
        state = "stands" if stands else "revoked: what it was given for changed"
        output.line(f"approved by {approval.approved_by} {approval.approved_when}: {state}")
    output.result(status_values(opened))
    if strict and (failed or any(item.state is State.STALE for item in opened.status())):
        raise typer.Exit(1)


def approve(
    dossier: DossierFolder,
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who approves.", show_default=False)],
    as_json: Json = False,
) -> None:
    """Record that a person approves the plan as it is. A later change of anything it rests on revokes it.

    Exits 3 for a draft: a stop, missing information or a failed hard check of the plan or of its fresh simulation.
    """
    from trocar.io.dossier import Dossier

    output = Output(as_json=as_json)
    approval = Dossier.open(dossier).approve(by)
    output.line(f"approved by {approval.approved_by} {approval.approved_when}")
    output.result({"schema": "trocar/approval/1", "approved_by": approval.approved_by, "digests": approval.digests})
