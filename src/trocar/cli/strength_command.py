"""The command that tells how much of the bone's strength daily loads use, before and after each option."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trocar.cli.options import DossierFolder, Json, Phantom
from trocar.cli.output import Output

if TYPE_CHECKING:
    from trocar.model.strength import Interval, Strength


def strength(
    dossier: DossierFolder,
    spacing_mm: Annotated[
        float | None, typer.Option("--spacing-mm", metavar="MM", min=0.5, max=4.0, help="Voxel edge, 2 mm at first.")
    ] = None,
    ablated_frac: Annotated[
        float | None,
        typer.Option(
            "--ablated-frac",
            metavar="FRACTION",
            min=0.01,
            max=1.0,
            help="Stiffness left in the ablated rim weeks later; nobody has measured it, so there is no default.",
        ),
    ] = None,
    check_mesh: Annotated[
        bool, typer.Option("--check-mesh", help="Solve again on voxels 1.5 times as large, and say what changes.")
    ] = False,
    ring: Annotated[
        bool, typer.Option("--ring", help="Both hip bones, the sacrum and their joints instead of one bone.")
    ] = False,
    lesion_spacing_mm: Annotated[
        float | None,
        typer.Option(
            "--lesion-spacing-mm", metavar="MM", min=0.3, max=2.0, help="Look at the lesion again on voxels this fine."
        ),
    ] = None,
    phantom: Phantom = None,
    as_json: Json = False,
) -> None:
    """Compare daily loads with the bone's strength: before, with cement, with screws, and as planned."""
    from trocar.io.dossier import Dossier
    from trocar.workflow import run as run_stages

    output = Output(as_json=as_json)
    opened = Dossier.open(dossier)
    run_stages(
        opened,
        until="strength",
        strength_spacing_mm=spacing_mm,
        ablated_frac=ablated_frac or 0.0,
        check_mesh=int(check_mesh),
        ring=int(ring),
        lesion_spacing_mm=lesion_spacing_mm or 0.0,
        phantom=phantom or "",
        on_progress=output.on_progress,
    )
    found = opened.read("strength")
    for line in _lines(found):
        output.line(line)
    output.table(_table(found))
    for line in _closing(found):
        output.line(line)
    output.result({"schema": "trocar/strength/1", **dataclasses.asdict(found)})


def _lines(found: Strength) -> Iterator[str]:
    within = f"{found.bone}, whole pelvic ring" if found.site == "ring" else found.bone
    yield f"{found.lesion} in {within}, {found.weight_kg:g} kg, voxels of {found.spacing_mm:g} mm"
    yield f"laws {', '.join(found.laws)} (catalog {found.catalog_version}), density from {found.density_scale}"
    yield "load over strength, 1 where yielding begins: median and range over the laws; x: against before treatment"


def _table(found: Strength) -> Iterator[tuple[str, ...]]:
    yield "load", "state", "bone", "x before", "stiffness x", "cement", "screw", "fails first"
    for row in sorted(found.rows, key=lambda row: found.loads.index(row.load)):
        yield (
            row.load, row.state, _shown(row.bone), _shown(row.against_before), _shown(row.stiffness_against_before),
            _shown(row.cement), _shown(row.screw), row.fails_first,
        )  # fmt: skip


def _closing(found: Strength) -> Iterator[str]:
    for screw in found.screws:
        full = "" if screw.pull_out_full_thread_N is None else f", {screw.pull_out_full_thread_N:.0f} N threaded wholly"
        hold: Any = "unknown" if screw.pull_out_N is None else f"{screw.pull_out_N:.0f} N"
        cemented = "" if screw.pull_out_cemented_N is None else f", {screw.pull_out_cemented_N:.0f} N with a collar"
        yield f"{screw.name}: {screw.anchored_mm:.0f} mm in bone, pull-out {hold}{full}{cemented} (closed form)"
    if found.sections is not None:
        kept = found.sections
        yield (
            f"weakest section keeps {kept.axial_frac:.0%} of EA, {kept.bending_frac:.0%} of EI, "
            f"{kept.torsion_frac:.0%} of GJ of the {kept.against.replace('_', ' ')} (flagged below 65 %)"
        )
    else:
        yield "section rigidities (CTRA): not applicable to this bone"
    if found.mesh is not None:
        mesh = found.mesh
        yield (
            f"on voxels of {mesh.coarse_spacing_mm:g} mm ratios change by at most {mesh.bone_change_frac:.0%} "
            f"({mesh.bone_where}), x before by at most {mesh.against_before_change_frac:.0%} "
            f"({mesh.against_before_where})"
        )
    if found.lesion_model is not None:
        fine = found.lesion_model
        yield f"within 6 mm of the lesion on voxels of {fine.spacing_mm:g} mm, {fine.law}; coarse voxels in brackets:"
        for row in fine.rows:
            yield (
                f"  {row.load}, {row.state}: {row.fine_frac:.2f} ({row.coarse_frac:.2f}), "
                f"x before {row.against_before_frac:.2f}, {row.fails_first}"
            )
    yield f"reactions miss at most {found.worst_imbalance_frac:.1e} of the load"
    yield f"residual at most {found.worst_residual_frac:.1e}, at most {found.most_iterations} iterations"
    yield "not validated for this site: compare the ratios, not the absolute values"
    yield f"caveats: {', '.join(found.caveats)}"


def _shown(interval: Interval | None) -> str:
    if interval is None:
        return ""
    return f"{interval.median_frac:.2f} [{interval.low_frac:.2f}, {interval.high_frac:.2f}]"
