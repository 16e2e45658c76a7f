"""The command that loads the bone until it gives way, before and after each option."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from trocar.cli.options import DossierFolder, Json
from trocar.cli.output import Output
from trocar.errors import InputError

if TYPE_CHECKING:
    from trocar.model.collapse import Collapse, CollapsedState

HEADING = "{lesion} in {bone}, load {load} at {weight:g} kg, voxels of {spacing:g} mm, law {law} (catalog {version})"
UNITS = "multiples of the load; not validated for any site: compare states, not absolute values"
CAVEATS = "caveats: {caveats}"
FRENCH = {
    "state": "état",
    "holds": "tient",
    "x before": "x avant",
    "yields from": "cède dès",
    "fails, in order": "ruptures, en ordre",
    "energy of breaking": "énergie de rupture",
    "before": "avant",
    "cement": "ciment",
    "screws": "vis",
    "planned": "montage prévu",
    "bone": "os",
    "screw": "vis",
    "nothing": "rien",
    "more than": "plus de",
    HEADING: "{lesion} dans {bone}, charge {load} à {weight:g} kg, voxels de {spacing:g} mm, loi {law} "
    "(catalogue {version})",
    UNITS: "multiples de la charge ; non validé pour aucun site : comparer les états, pas les valeurs absolues",
    CAVEATS: "réserves : {caveats}",
}


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
    language: Annotated[str, typer.Option(metavar="CODE", help="en or fr.")] = "en",
    as_json: Json = False,
) -> None:  # fmt: skip
    """Raise one load until the bone gives way: before, with cement, with screws, and as planned."""
    from trocar.io.dossier import Dossier
    from trocar.workflow.breaking import collapse as of_the_bone

    if language not in ("en", "fr"):
        raise InputError(f"there is no language {language!r}", hint="give en or fr")
    words = FRENCH if language == "fr" else {}
    output = Output(as_json=as_json)
    found = of_the_bone(
        Dossier.open(dossier), load, spacing_mm=spacing_mm, bond_MPa=bond_mpa, thread_frac=thread_frac,
        on_progress=output.on_progress,
    )  # fmt: skip
    heading = _in(words, HEADING).format(
        lesion=found.lesion,
        bone=found.bone,
        load=found.load,
        weight=found.weight_kg,
        spacing=found.spacing_mm,
        law=found.law,
        version=found.catalog_version,
    )
    output.line(heading)
    output.table(_table(found, words))
    output.line(_in(words, UNITS))
    output.line(_in(words, CAVEATS).format(caveats=", ".join(found.caveats)))
    output.result({"schema": "trocar/collapse/1", **dataclasses.asdict(found)})


def _in(words: dict[str, str], text: str) -> str:
    return words.get(text, text)


def _table(found: Collapse, words: dict[str, str]) -> Iterator[tuple[str, ...]]:
    head = ("state", "holds", "x before", "yields from", "fails, in order", "energy of breaking")
    yield tuple(_in(words, word) for word in head)
    for state in found.states:
        yield (
            _in(words, state.state),
            _holds(state, words),
            f"{state.against_before_frac:.2f}",
            f"{state.first_frac:.2f}",
            ", ".join(f"{_in(words, name)} {load:.2f}" for name, load in state.order) or _in(words, "nothing"),
            ", ".join(f"{_in(words, name)} {part:.0%}" for name, part in state.lost_frac.items() if part >= 0.005),
        )  # fmt: skip


def _holds(state: CollapsedState, words: dict[str, str]) -> str:
    """The strength, or that it is only a lower bound."""
    return f"{state.strength_frac:.2f}" if state.passed else f"{_in(words, 'more than')} {state.strength_frac:.2f}"
