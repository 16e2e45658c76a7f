"""The command that loads the bone until it gives way, before and after each option."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer

from trocar.cli.options import DossierFolder, Json, Phantom
from trocar.cli.output import Output
from trocar.errors import InputError


def collapse(
    dossier: DossierFolder,
    load: Annotated[
        str, typer.Argument(metavar="LOAD", help="A load of the bone's site: walking, torsion, one_leg ...")
    ],
    spacing_mm: Annotated[
        float | None, typer.Option("--spacing-mm", metavar="MM", min=0.5, max=3.0, help="Voxel edge, 2 mm at first.")
    ] = None,
    bond_mpa: Annotated[
        float | None,
        typer.Option(
            "--bond-mpa", metavar="MPA", min=0.01, max=10000.0,
            help="Strength of the bond of cement and bone in tension; the catalog's is a prior.",
        ),
    ] = None,
    thread_frac: Annotated[
        float | None,
        typer.Option(
            "--thread-frac", metavar="FRACTION", min=0.01, max=1.0,
            help="Stiffness left in the bone around a thread without cement; the catalog's is a prior.",
        ),
    ] = None,
    ring: Annotated[
        bool, typer.Option("--ring", help="Both hip bones, the sacrum and their joints instead of one bone.")
    ] = False,
    phantom: Phantom = None,
    language: Annotated[str, typer.Option(metavar="CODE", help="en or fr.")] = "en",
    as_json: Json = False,
) -> None:  # fmt: skip
    """Raise one load until the bone gives way: before, with cement, with screws, and as planned."""
    from trocar.io.dossier import Dossier
    from trocar.reporting import collapses
    from trocar.reporting.language import Language
    from trocar.workflow.breaking import collapse as of_the_bone

    if language not in ("en", "fr"):
        raise InputError(f"there is no language {language!r}", hint="give en or fr")
    said = Language("fr" if language == "fr" else "en")
    output = Output(as_json=as_json)
    found = of_the_bone(
        Dossier.open(dossier), load, spacing_mm=spacing_mm, bond_MPa=bond_mpa, thread_frac=thread_frac,
        ring=ring, phantom=phantom, on_progress=output.on_progress,
    )  # fmt: skip
    output.line(collapses.heading(found, said))
    output.table(collapses.table(found, said))
    for reserve in collapses.reserves(found, said):
        output.line(reserve)
    output.result({"schema": "trocar/collapse/1", **dataclasses.asdict(found)})
