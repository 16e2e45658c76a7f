"""Every command of `trocar`. Heavy modules load inside the command that needs them."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trocar.cli.output import Output
from trocar.errors import InputError, TrocarError

if TYPE_CHECKING:
    from trocar.workflow import Outcome

app = typer.Typer(
    name="trocar",
    help="Plan, simulate and check combined percutaneous treatment of bone metastases. "
    "Research and education software, not a medical device.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
UsageError: type[Any] = typer.BadParameter.__mro__[1]

DossierFolder = Annotated[Path, typer.Argument(metavar="DOSSIER", help="The dossier's folder.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Write one JSON object to standard output, and nothing else.")]
ProposalNumber = Annotated[
    int | None,
    typer.Option("--proposal", metavar="N", help="Plan the N-th option of the ranked list, instead of the first."),
]
Seed = Annotated[
    int | None, typer.Option(metavar="NUMBER", help="Seed of everything random; the same seed gives the same plan.")
]
SpacingMm = Annotated[
    float | None,
    typer.Option("--spacing-mm", metavar="MM", min=0.5, max=5.0, help="Voxel edge of the simulation, 1 mm at first."),
]
SEVERAL_VALUES = ("--structure", "--markups", "--phase")
STAGES = {
    "assess": "assessment",
    "propose": "proposals",
    "plan": "plan",
    "simulate": "simulation",
    "verify": "verification",
    "report": "report",
}


def run_command(arguments: Sequence[str]) -> int:
    """Run one command line; returns its exit code. A `TrocarError` or a misuse is told, never traced."""
    output = Output(as_json="--json" in arguments)
    try:
        code = app(_one_value_each(arguments), prog_name="trocar", standalone_mode=False)
    except TrocarError as error:
        output.refusal(error)
        return error.exit_code
    except UsageError as error:
        output.error(
            error.format_message(), _help_hint(error), kind=InputError.__name__, exit_code=InputError.exit_code
        )
        return InputError.exit_code
    except (KeyboardInterrupt, typer.Abort):
        output.error("interrupted", "what was finished is kept; run it again", kind="Interrupted", exit_code=130)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has gone: nothing to tell it
        return 141
    except OSError as error:
        hint = "check the path, its permissions and the free space"
        output.error(str(error), hint, kind=type(error).__name__, exit_code=InputError.exit_code)
        return InputError.exit_code
    return code if isinstance(code, int) else 0


def _one_value_each(arguments: Sequence[str]) -> list[str]:
    """`new DOSSIER --markups A B` as `new DOSSIER --markups A --markups B`, the form that typer understands."""
    spelled = list(arguments[:2])
    if spelled[:1] != ["new"] or spelled[1:] == [] or spelled[1].startswith("-"):
        return list(arguments)
    option, values = "", 0
    for argument in arguments[2:]:
        if argument.startswith("-"):
            option, values = argument, 0
        elif option in SEVERAL_VALUES and values:
            spelled.append(option)
        values += not argument.startswith("-")
        spelled.append(argument)
    return spelled


def _help_hint(error: Any) -> str:
    context = getattr(error, "ctx", None)
    return f"{context.command_path if context else 'trocar'} --help"


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.", is_eager=True)] = False,
) -> None:
    """Plan, simulate and check combined percutaneous treatment of bone metastases.

    Research and education software, not a medical device.
    """
    if version:
        import trocar

        Output(as_json=False).line(f"trocar {trocar.__version__}")
    elif context.invoked_subcommand is None:
        Output(as_json=False).line(context.get_help())


# --- a case


@app.command()
def new(
    dossier: DossierFolder,
    ct: Annotated[
        Path,
        typer.Option(
            metavar="PATH", help="A DICOM folder with a CT series, or a NIfTI file in HU.", show_default=False
        ),
    ],
    structures: Annotated[
        Path | None, typer.Option(metavar="PATH", help="A NIfTI label map, DICOM SEG or RTSTRUCT.")
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
    from trocar.cli.summary import case_lines
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
    made = Dossier.create(dossier, case, replace_existing=force)
    output = Output(as_json=as_json)
    for line in case_lines(case):
        output.line(line)
    output.result(made.document("case"))


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


# --- the stages


@app.command()
def assess(dossier: DossierFolder, as_json: Json = False) -> None:
    """Measure the lesions: size, compartments, breach, neighbors, fracture scores."""
    _stage(dossier, "assess", as_json)


@app.command()
def propose(dossier: DossierFolder, as_json: Json = False) -> None:
    """Rank combinations of techniques; each says why, and why not."""
    _stage(dossier, "propose", as_json)


@app.command()
def plan(dossier: DossierFolder, proposal: ProposalNumber = None, seed: Seed = None, as_json: Json = False) -> None:
    """Place every instrument of one option, step by step. Exits 3 when no placement is admissible."""
    _stage(dossier, "plan", as_json, proposal=proposal, seed=seed)


@app.command()
def simulate(dossier: DossierFolder, spacing_mm: SpacingMm = None, as_json: Json = False) -> None:
    """Compute what each step does to the tissue: temperatures, ice, cement, coverage, exposure of nerves."""
    _stage(dossier, "simulate", as_json, spacing_mm=spacing_mm)


@app.command()
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

    The treatment is simulated again with the instruments as they were found.
    """
    from trocar.io.dossier import Dossier

    if series is not None and control is None:
        raise InputError("--series needs --control", hint="give the folder that holds the series")
    if control is not None:
        from trocar.io.reader import read_case

        opened = Dossier.open(dossier)
        opened.write("control", read_case(control, series=series))
    _stage(dossier, "verify", as_json)


@app.command()
def report(dossier: DossierFolder, as_json: Json = False) -> None:
    """Write report.html, one file that opens without a network, in English and French."""
    _stage(dossier, "report", as_json)


@app.command()
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
    outcome = run_stages(opened, proposal=proposal, spacing_mm=spacing_mm, seed=seed, on_progress=output.on_progress)
    _tell_outcome(output, opened, outcome)


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


@app.command()
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


@app.command()
def approve(
    dossier: DossierFolder,
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who approves.", show_default=False)],
    as_json: Json = False,
) -> None:
    """Record that a person approves the plan as it is. A later change of anything it rests on revokes it.

    Exits 3 for a draft: a stop, missing information or a failed hard check.
    """
    from trocar.io.dossier import Dossier

    output = Output(as_json=as_json)
    approval = Dossier.open(dossier).approve(by)
    output.line(f"approved by {approval.approved_by} {approval.approved_when}")
    output.result({"schema": "trocar/approval/1", "approved_by": by, "digests": approval.digests})


# --- without a dossier


@app.command()
def devices(
    device_id: Annotated[str | None, typer.Argument(metavar="ID", help="One device; without it, all.")] = None,
    as_json: Json = False,
) -> None:
    """Show the catalog of devices, each figure with its source."""
    from trocar.catalog import device, devices
    from trocar.cli.summary import device_lines, device_values

    output = Output(as_json=as_json)
    if device_id is not None:
        chosen = device(device_id)
        for line in device_lines(chosen):
            output.line(line)
        output.result({"schema": "trocar/device/1", **device_values(chosen)})
        return
    known = devices()
    output.table((item.id, item.kind, item.name) for item in known.values())
    output.result({"schema": "trocar/devices/1", "devices": [device_values(item) for item in known.values()]})


@app.command()
def schema(
    document: Annotated[
        str, typer.Argument(help="clinical, case, assessment, proposals, plan, simulation, verification or dossier.")
    ],
    as_json: Json = False,
) -> None:
    """Print the JSON schema of a document, with the ranges of its numbers: one JSON object, with or without --json."""
    from trocar.io.schema import json_schema

    Output(as_json=True).result(json_schema(document))


@app.command()
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


def _has_display() -> bool:
    return sys.platform in ("win32", "darwin") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
