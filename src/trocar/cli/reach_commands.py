"""Questions before a plan: from where a target can be reached, and which corridors a bone has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trocar.cli.options import DossierFolder, GuidanceName, Json, PlacementErrorMm
from trocar.cli.output import Output
from trocar.errors import InputError

if TYPE_CHECKING:
    from trocar.planning.entries import Access
    from trocar.planning.safecorridor import SafeCorridor
    from trocar.planning.wayin import WayIn

SHOWN = 4  # names of a kind on one line
POSITIONS = ("supine", "prone", "lateral")


def corridors(
    source: Annotated[
        Path,
        typer.Argument(metavar="SOURCE", help="A NIfTI label map or mask of bone, or a dossier.", show_default=False),
    ],
    bone: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="The bone: a label's number or name, or a structure. Again for a hip bone and the sacrum together.",
        ),
    ] = None,
    lesion: Annotated[
        str | None, typer.Option(metavar="NAME", help="The lesion: a NIfTI mask, another label, or a structure.")
    ] = None,
    anchor_mm: Annotated[
        float | None,
        typer.Option("--anchor-mm", metavar="MM", min=0.0, max=150.0, help="Healthy bone wanted on both sides."),
    ] = None,
    gap_mm: Annotated[
        float, typer.Option("--gap-mm", metavar="MM", min=0.0, max=50.0, help="Kept between two corridors.")
    ] = 2.0,
    count: Annotated[int, typer.Option(metavar="N", min=1, max=20, help="How many at most.")] = 5,
    guidance: GuidanceName = None,
    placement_error_mm: PlacementErrorMm = None,
    as_json: Json = False,
) -> None:
    """Find the largest safe cylinders of bone across a lesion; a label map of bone alone is enough.

    Nerves, canal, foramina and joints are hard limits where the labels have them or the mask of the bone shows them.
    """
    from trocar.cli.summary import geometry_lines
    from trocar.io.dossier import Dossier
    from trocar.workflow import corridors as of_the_bone
    from trocar.workflow.stages import Settings

    output = Output(as_json=as_json)
    given: Any = Dossier.open(source).read("case") if source.is_dir() else source
    led = Settings(guidance=guidance or "", placement_error_mm=placement_error_mm or 0.0).led()
    found = of_the_bone(
        given, bone=tuple(bone or ()) or None, lesion=lesion, anchor_mm=anchor_mm, gap_mm=gap_mm, count=count,
        guidance=led,
    )  # fmt: skip
    for line in geometry_lines(found.geometry):
        output.line(line)
    healthy = "healthy by HU" if found.healthy_by_HU else "all of it outside the lesion taken as healthy"
    output.line(f"{found.bone}, {healthy}, at least {found.anchor_mm:g} mm of it on both sides")
    kept = "; ".join(f"{kind}: {_some(names)}" for kind, names in found.looked_at.items())
    output.line(f"kept clear of {kept}" if kept else "kept clear of nothing but the bone's surface")
    output.line(f"not looked at: {'; '.join(found.not_looked_at) or 'nothing that is asked for here'}")
    output.table(_corridor_rows(found.told))
    for number, each in enumerate(found.told, start=1):
        for line in _corridor_lines(each, found.guidance.placement_error_mm):
            output.line(f"{number}: {line}")
    output.result(
        {
            "schema": "trocar/corridors/1",
            "bone": found.bone,
            "healthy_by_HU": found.healthy_by_HU,
            "anchor_mm": found.anchor_mm,
            "guidance": {"name": found.guidance.name, "placement_error_mm": found.guidance.placement_error_mm},
            "looked_at": found.looked_at,
            "not_looked_at": found.not_looked_at,
            "corridors": [_corridor_values(each) for each in found.told],
            "geometry": [finding.message for finding in found.geometry],
        }
    )


def _corridor_rows(told: tuple[SafeCorridor, ...]) -> Iterator[tuple[str, ...]]:
    yield (
        "", "corridor", "width", "screw at most", "length", "bone at start", "lesion", "bone at end", "start", "end",
        "of the catalog",
    )  # fmt: skip
    for number, item in enumerate(told, start=1):
        each = item.corridor
        yield (
            str(number), item.called.words.en or "-", f"{each.diameter_mm:.1f} mm", f"{each.screw_diameter_mm:.1f} mm",
            f"{each.axis.length_mm:.0f} mm", f"{each.anchor_start_mm:.0f} mm", f"{each.crossing_mm:.0f} mm",
            f"{each.anchor_end_mm:.0f} mm", _place(each.axis.start_lps_mm), _place(each.axis.end_lps_mm),
            f"{item.screw.device} x {item.screw.length_mm:g} mm" if item.screw else "none fits",
        )  # fmt: skip


def _some(names: tuple[str, ...]) -> str:
    """The first names, and how many more there are."""
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _corridor_lines(item: SafeCorridor, error_mm: float) -> Iterator[str]:
    if item.screw:
        yield (
            f"{item.screw.cortex_mm:.1f} mm from the screw to the cortex, breach grade {item.screw.breach} as planned, "
            f"{item.screw.breach_displaced} when displaced by {error_mm:g} mm"
        )
    if item.nearest:
        yield "nearest " + ", ".join(f"{name} {mm:.1f} mm" for name, mm in item.nearest)
    for way in item.ways:
        yield f"from the {way.end}: {_way_in_words(way)}"


def _way_in_words(way: WayIn) -> str:
    if way.skin_lps_mm is None:
        return "the image ends before the skin"
    crossed = ", ".join(f"{name} {mm:.0f} mm" for name, mm in way.crosses) or "nothing that is segmented"
    reasons = "; ".join(
        f"{item.constraint} {item.structure}".strip() + f" {item.value_mm:.1f} of {item.limit_mm:g}"
        for item in way.refused
    )
    where = f"skin {_place(way.skin_lps_mm)}, {way.skin_to_bone_mm:.0f} mm to the bone, through {crossed}"
    return f"refused ({reasons}); {where}" if reasons else f"free; {where}"


def _corridor_values(item: SafeCorridor) -> dict[str, Any]:
    import dataclasses

    each, screw = item.corridor, item.screw
    return {
        "name": item.called.name,
        "side": item.called.side,
        "called": {"en": item.called.words.en, "fr": item.called.words.fr},
        "start_lps_mm": each.axis.start_lps_mm,
        "end_lps_mm": each.axis.end_lps_mm,
        "length_mm": each.axis.length_mm,
        "diameter_mm": each.diameter_mm,
        "cortex_mm": each.cortex_mm,
        "screw_diameter_mm": each.screw_diameter_mm,
        "anchor_start_mm": each.anchor_start_mm,
        "anchor_end_mm": each.anchor_end_mm,
        "crossing_mm": each.crossing_mm,
        "screw": None if screw is None else dataclasses.asdict(screw),
        "nearest": [{"structure": name, "clearance_mm": mm} for name, mm in item.nearest],
        "ways_in": [
            {
                "end": way.end,
                "free": way.free,
                "skin_lps_mm": way.skin_lps_mm,
                "skin_to_bone_mm": way.skin_to_bone_mm,
                "crosses": [{"structure": name, "length_mm": mm} for name, mm in way.crosses],
                "refused": [dataclasses.asdict(reason) for reason in way.refused],
            }
            for way in item.ways
        ],
    }


def access(
    dossier: DossierFolder,
    target: Annotated[
        str | None, typer.Option(metavar="X,Y,Z", help="LPS millimeters; the lesion's center at first.")
    ] = None,
    lesion: Annotated[str | None, typer.Option(metavar="NAME", help="The lesion, where there are several.")] = None,
    device: Annotated[
        str, typer.Option(metavar="ID", help="A probe, biopsy needle or trocar of the catalog.")
    ] = "cryoprobe-17g-icesphere",
    position: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="supine, prone or lateral; the first that works of the site's at first."),
    ] = None,
    guidance: GuidanceName = None,
    placement_error_mm: PlacementErrorMm = None,
    as_json: Json = False,
) -> None:
    """Show from where one target can be reached: the choices with their trade-offs, and what excludes the rest.

    Exits 3 when no path is admissible.
    """
    from trocar.io.dossier import Dossier
    from trocar.planning.entries import access as ways
    from trocar.workflow.stages import Settings

    output = Output(as_json=as_json)
    if position is not None and position not in POSITIONS:
        raise InputError(f"no position is called {position!r}", hint=f"there are: {', '.join(POSITIONS)}")
    found = ways(
        Dossier.open(dossier).read("case"),
        lesion=lesion,
        target_lps_mm=None if target is None else _point(target),
        device_id=device,
        position=position,
        guidance=Settings(guidance=guidance or "", placement_error_mm=placement_error_mm or 0.0).led(),
    )
    error_mm = found.guidance.placement_error_mm
    output.line(f"{found.device} to {_place(found.target_lps_mm)}, {found.position}")
    output.line(f"{found.guidance.name}, {error_mm:g} mm kept free; {found.free_frac:.0%} of all directions are free")
    output.table(_option_rows(found))
    for item in found.rejected:
        output.line(f"refused: {item.constraint} {item.structure}, {item.value_mm:g} of {item.limit_mm:g}; {item.what}")
    output.result(_access_values(found))


def _option_rows(found: Access) -> Iterator[tuple[str, ...]]:
    yield "from", "skin", "length", "clear", "of", "cortex", "tilt", "bone", "against the first"
    from trocar.planning.refusals import facing

    for each in found.options:
        figures = each.figures
        yield (
            facing(-each.path.direction), _place(each.path.start_lps_mm), f"{figures['length_mm']:.0f} mm",
            f"{figures['clearance_mm']:.0f} mm", each.nearest or "-", f"{figures['cortex_mm']:.0f} mm",
            f"{figures['tilt_deg']:.0f} deg", f"{figures['held_mm']:.0f} mm", each.words.en,
        )  # fmt: skip


def _access_values(found: Access) -> dict[str, Any]:
    import dataclasses

    return {
        "schema": "trocar/access/1",
        "device": found.device,
        "position": found.position,
        "guidance": {"name": found.guidance.name, "placement_error_mm": found.guidance.placement_error_mm},
        "target_lps_mm": found.target_lps_mm,
        "free_frac": found.free_frac,
        "options": [
            {
                "skin_lps_mm": each.path.start_lps_mm,
                "target_lps_mm": each.path.end_lps_mm,
                "figures": each.figures,
                "nearest": each.nearest,
                "against_first": {"en": each.words.en, "fr": each.words.fr},
            }
            for each in found.options
        ],
        "rejected": [dataclasses.asdict(item) for item in found.rejected],
    }


def _point(text: str) -> tuple[float, float, float]:
    try:
        x, y, z = (float(part) for part in text.split(","))
    except ValueError as error:
        raise InputError(f"{text!r} is not a point", hint="three LPS millimeters such as 84.2,12,-31.5") from error
    return x, y, z


def _place(point: tuple[float, float, float]) -> str:
    """A point by its directions, so that no sign can be misread."""
    pairs = zip(point, ("LR", "PA", "HF"), strict=True)
    return " ".join(f"{names[0] if x >= 0 else names[1]}{abs(x):.0f}" for x, names in pairs)
