"""The commands that make stages: one each, all of them, and all of them of a synthetic case."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trocar.cli.options import (
    DossierFolder,
    GuidanceName,
    Json,
    PlacementErrorMm,
    ProposalNumber,
    Seed,
    SpacingMm,
)
from trocar.cli.output import Output
from trocar.errors import DossierError, InputError, TrocarError

if TYPE_CHECKING:
    from trocar.io.dossier import Dossier
    from trocar.workflow import Outcome

STAGES = {
    "assess": "assessment",
    "propose": "proposals",
    "plan": "plan",
    "simulate": "simulation",
    "verify": "verification",
    "report": "report",
}


def assess(dossier: DossierFolder, as_json: Json = False) -> None:
    """Measure the lesions: size, compartments, breach, neighbors, fracture scores."""
    _stage(dossier, "assess", as_json)


def propose(
    dossier: DossierFolder,
    trace: Annotated[
        bool, typer.Option("--trace", help="Show every rule with its inputs and its outcome instead.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Rank combinations of techniques; each says why, and why not."""
    if trace:
        _trace(dossier, as_json)
    else:
        _stage(dossier, "propose", as_json)


def plan(
    dossier: DossierFolder,
    proposal: ProposalNumber = None,
    seed: Seed = None,
    full: Annotated[
        bool | None,
        typer.Option("--full/--bounded", help="Simulate several times as many candidates, the last at 2 mm."),
    ] = None,
    robust: Annotated[
        int | None,
        typer.Option(
            "--robust",
            metavar="N",
            min=0,
            max=500,
            help="Check coverage and limits on N placements and tissues drawn at random.",
        ),
    ] = None,
    guidance: GuidanceName = None,
    placement_error_mm: PlacementErrorMm = None,
    edits: Annotated[
        Path | None,
        typer.Option(
            "--edits",
            metavar="PATH",
            help="Keep the plan, with placements fixed, moved or deleted: JSON, or lines of 3D Slicer.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Place every instrument of one option, step by step. Exits 3 when no placement is admissible."""
    full_search = None if full is None else int(full)
    own = {"proposal": proposal, "seed": seed, "guidance": guidance, "placement_error_mm": placement_error_mm}
    if edits is None:
        _stage(dossier, "plan", as_json, full_search=full_search, samples=robust, **own)
    elif any(value is not None for value in own.values()):
        raise InputError(
            "--edits keeps the plan's own option, seed and guidance",
            hint="leave out --proposal, --seed, --guidance and --placement-error-mm",
        )
    else:
        _edit(dossier, edits, as_json, full_search=full_search, samples=robust)


def schedule(
    dossier: DossierFolder,
    proposal: ProposalNumber = None,
    room_degC: Annotated[
        float | None,
        typer.Option(
            "--room-degc", metavar="C", min=5.0, max=40.0, help="Where the cement is mixed; its table's at first."
        ),
    ] = None,
    tissue_degC: Annotated[
        float | None,
        typer.Option("--tissue-degc", metavar="C", min=-20.0, max=45.0, help="The tissue's around the cement."),
    ] = None,
    budget_min: Annotated[
        float | None, typer.Option("--budget-min", metavar="MIN", min=1.0, help="Minutes that the session may take.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Put the session of one option on the clock: steps, resources, positions, the cement's window, the looks."""
    from trocar.cli.clock import clock_lines, clock_values
    from trocar.io.dossier import Dossier
    from trocar.proposal.lesions import lesion_order
    from trocar.workflow import run as run_stages
    from trocar.workflow import session

    output = Output(as_json=as_json)
    opened = Dossier.open(dossier)
    run_stages(opened, until="proposals", on_progress=output.on_progress)
    timed = session(opened, proposal, room_degC=room_degC, tissue_degC=tissue_degC, budget_min=budget_min)
    if timed is None:
        raise InputError("there is no option to put on the clock", hint="see what trocar propose says")
    order = lesion_order(opened.read("case", arrays=False), opened.read("assessment"))
    for line in clock_lines(timed, order):
        output.line(line)
    output.result(clock_values(timed, order))


def simulate(dossier: DossierFolder, spacing_mm: SpacingMm = None, as_json: Json = False) -> None:
    """Compute what each step does to the tissue: temperatures, ice, heat, cement, coverage, exposure of nerves."""
    _stage(dossier, "simulate", as_json, spacing_mm=spacing_mm)


def verify(
    dossier: DossierFolder,
    control: Annotated[
        Path | None, typer.Option(metavar="PATH", help="The control CT: a DICOM folder or a NIfTI file in HU.")
    ] = None,
    series: Annotated[
        str | None, typer.Option(metavar="UID", help="UID of the control's series, when the folder holds several.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare a control CT with the plan: registration, instruments as placed, ice as seen, margins.

    The treatment is simulated again with the instruments as they were found. A control that cannot be verified leaves
    the one before in its place.
    """
    from trocar.io.dossier import Dossier

    if series is not None and control is None:
        raise InputError("--series needs --control", hint="give the folder that holds the series")
    if control is not None:
        from trocar.io.reader import read_case

        opened = Dossier.open(dossier)
        before = _control_of(opened)
        opened.write("control", read_case(control, series=series))
        try:
            _stage(dossier, "verify", as_json)
        except TrocarError:
            if before is not None:
                Dossier.open(dossier).write("control", before)
            raise
        return
    _stage(dossier, "verify", as_json)


def _control_of(opened: Dossier) -> Any:
    """The control that a dossier holds; None without one, or where its files are damaged."""
    try:
        return opened.read("control")
    except DossierError:
        return None


def report(dossier: DossierFolder, as_json: Json = False) -> None:
    """Write report.html, one file that opens without a network, in English and French."""
    _stage(dossier, "report", as_json)


def run(
    dossier: DossierFolder,
    proposal: ProposalNumber = None,
    spacing_mm: SpacingMm = None,
    seed: Seed = None,
    as_json: Json = False,
) -> None:
    """Make every stage that is missing or stale, and the report.

    Exits 3 when no plan is admissible; the report is written all the same and says so.
    """
    from trocar.io.dossier import Dossier
    from trocar.workflow import run as run_stages

    output = Output(as_json=as_json)
    opened = Dossier.open(dossier)
    opened.verify()  # a stage that is fresh is not read: what was changed by hand would go unseen
    outcome = run_stages(opened, proposal=proposal, spacing_mm=spacing_mm, seed=seed, on_progress=output.on_progress)
    _tell_outcome(output, opened, outcome)


def demo(
    case: Annotated[str, typer.Argument(help="ilium or sacrum.")],
    output_folder: Annotated[
        Path | None, typer.Option("--output", metavar="FOLDER", help="The dossier's folder; demo/CASE at first.")
    ] = None,
    open_report: Annotated[bool, typer.Option("--open/--no-open", help="Show the report in a browser.")] = True,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing dossier.")] = False,
    voxel_mm: Annotated[
        float | None,
        typer.Option(
            "--voxel-mm",
            metavar="MM",
            min=0.5,
            max=5.0,
            help="Voxel edge of the synthetic CT; as a clinical CT at first.",
        ),
    ] = None,
    spacing_mm: SpacingMm = None,
    as_json: Json = False,
) -> None:
    """Make a synthetic pelvis with a metastasis and take it through every stage, a control CT included."""
    from trocar.workflow import demo as make_demo

    output = Output(as_json=as_json)
    folder = output_folder or Path("demo") / case
    dossier, outcome = make_demo(
        case, folder, replace_existing=force, voxel_mm=voxel_mm, spacing_mm=spacing_mm, on_progress=output.on_progress
    )
    if open_report and not as_json and _has_display():
        import webbrowser

        webbrowser.open((dossier.folder / "report.html").resolve().as_uri())
    _tell_outcome(output, dossier, outcome)


def _trace(folder: Path, as_json: bool) -> None:
    """Make the options, and tell how each rule was decided."""
    from trocar.cli.rule_lines import trace_rows, trace_values
    from trocar.io.dossier import Dossier
    from trocar.proposal.trace import trace
    from trocar.workflow import run as run_stages

    output = Output(as_json=as_json)
    opened = Dossier.open(folder)
    run_stages(opened, until="proposals", on_progress=output.on_progress)
    rows = trace(opened.read("case", arrays=False), opened.read("assessment"))
    output.table(trace_rows(rows))
    output.result({"schema": "trocar/trace/1", "rules": trace_values(rows)})


def _edit(folder: Path, path: Path, as_json: bool, *, full_search: int | None, samples: int | None) -> None:
    """Edit the plan of a dossier as a file says, and tell the result."""
    from trocar.cli.summary import finding_lines
    from trocar.io.dossier import Dossier
    from trocar.io.edits import read_edits
    from trocar.workflow import edit_dossier

    output = Output(as_json=as_json)
    opened = Dossier.open(folder)
    edit_dossier(opened, read_edits(path), full_search=full_search, samples=samples)
    for line in finding_lines(opened, "plan"):
        output.line(line)
    output.result(opened.document("plan"))


def _stage(folder: Path, verb: str, as_json: bool, **settings: Any) -> None:
    """Make one stage, and before it what it needs; tell its result."""
    from trocar.cli.summary import finding_lines
    from trocar.io.dossier import Dossier
    from trocar.workflow import run as run_stages

    output = Output(as_json=as_json)
    opened = Dossier.open(folder)
    entry = STAGES[verb]
    run_stages(opened, until=entry, again=True, on_progress=output.on_progress, **settings)
    if verb == "verify":
        run_stages(opened, until="as_done", on_progress=output.on_progress)
    for line in finding_lines(opened, entry):
        output.line(line)
    output.result(opened.document(entry))


def _tell_outcome(output: Output, dossier: Any, outcome: Outcome) -> None:
    """Tell what a run made; exits 3 when planning was refused."""
    from trocar.cli.summary import status_rows, status_values

    output.table(status_rows(dossier))
    values = {"schema": "trocar/run/1", "made": list(outcome.made), "report": str(dossier.folder / "report.html")}
    if outcome.refusal is None:
        output.result({**values, "refusal": None, "status": status_values(dossier)})
        return
    refusal = outcome.refusal
    output.tell_error(str(refusal), refusal.hint)
    output.result(
        {**values, "refusal": {"message": str(refusal), "hint": refusal.hint}, "status": status_values(dossier)}
    )
    raise typer.Exit(refusal.exit_code)


def _has_display() -> bool:
    return sys.platform in ("win32", "darwin") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
