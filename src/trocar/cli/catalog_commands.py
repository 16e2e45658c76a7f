"""The commands that need no dossier: the catalog of devices, the rules and the schemas of the documents."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trocar.cli.options import Json
from trocar.cli.output import Output

if TYPE_CHECKING:
    from trocar.model.device import AnyDevice


def devices(
    device_id: Annotated[str | None, typer.Argument(metavar="ID", help="One device; without it, all.")] = None,
    calibrate: Annotated[
        Path | None,
        typer.Option("--calibrate", metavar="TABLE.csv", help="Fit the cryoprobe ID to its isotherm table."),
    ] = None,
    convective: Annotated[
        bool, typer.Option("--convective", help="Fit the cold fluid and its exchange, instead of the surface.")
    ] = False,
    own: Annotated[
        Path | None,
        typer.Option("--own", metavar="PATH", help="A TOML file of further devices: checked and shown too."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show the catalog of devices, each figure with its source."""
    from trocar.catalog import device, devices
    from trocar.catalog.facts import devices_with
    from trocar.cli.summary import device_lines, device_values

    output = Output(as_json=as_json)
    chosen = None
    if device_id is not None:
        chosen = device(device_id) if own is None else _own_device(devices_with(own), device_id)
    if calibrate is not None:
        _calibrate(chosen, calibrate, output, by_fluid=convective)
    elif chosen is not None:
        for line in device_lines(chosen):
            output.line(line)
        output.result({"schema": "trocar/device/1", **device_values(chosen)})
    else:
        known = devices() if own is None else devices_with(own)
        output.table((item.id, item.kind, item.name) for item in known.values())
        output.result({"schema": "trocar/devices/1", "devices": [device_values(item) for item in known.values()]})


def _calibrate(probe: AnyDevice | None, table: Path, output: Output, *, by_fluid: bool) -> None:
    """Print what a table tells about a cryoprobe, and the catalog entry that results."""
    from trocar.catalog.calibrated import calibrate_probe
    from trocar.cli.calibration_summary import calibration_lines, calibration_values
    from trocar.errors import InputError
    from trocar.model.device import Cryoprobe

    if not isinstance(probe, Cryoprobe):
        raise InputError("--calibrate needs a cryoprobe", hint="trocar devices ID --calibrate TABLE.csv")
    found = calibrate_probe(table, probe, by_fluid=by_fluid)
    for line in calibration_lines(found):
        output.line(line)
    output.result(calibration_values(found))


def _own_device(known: dict[str, AnyDevice], device_id: str) -> AnyDevice:
    from trocar.errors import InputError

    if device_id not in known:
        raise InputError(f"no device is called {device_id!r}", hint=f"there are: {', '.join(known)}")
    return known[device_id]


def rules(
    rule_id: Annotated[
        str | None, typer.Argument(metavar="RULE", help="One rule, such as T2; without it, all.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the clinical rules, or explain one: condition, strength, grade, source, review, text in both languages."""
    from trocar.catalog.ruleset import ruleset
    from trocar.cli.rule_lines import rule_lines, rule_rows, rule_values
    from trocar.errors import InputError
    from trocar.proposal.trace import explained, kinds

    output, known = Output(as_json=as_json), ruleset()
    if rule_id is None:
        output.table(rule_rows(known))
        everything = [rule_values(kind, rule) for kind, group in kinds(known) for rule in group]
        output.result({"schema": "trocar/rules/1", "ruleset": known.version, "rules": everything})
        return
    found = explained(known, rule_id)
    if not found:
        ids = ", ".join(dict.fromkeys(rule.id for _, group in kinds(known) for rule in group))
        raise InputError(f"there is no rule {rule_id!r}", hint=f"there are: {ids}")
    for kind, rule in found:
        for line in rule_lines(kind, rule):
            output.line(line)
    values = [rule_values(kind, rule) for kind, rule in found]
    output.result({"schema": "trocar/rules/1", "ruleset": known.version, "rules": values})


def drugs(
    table: Annotated[
        Path | None, typer.Option("--table", metavar="PATH", help="A copy of the table that a clinician has signed.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show the bleeding-drug table. It is switched off until a clinician signs a copy of it."""
    import dataclasses

    from trocar.catalog.drugs import drug_table

    output, known = Output(as_json=as_json), drug_table(table)
    signed = known.signature
    if known.active:
        output.line(f"signed by {signed.name} ({signed.role}) on {signed.date}")
        output.table((d.name, d.group, d.hold.en, "" if d.restart is None else d.restart.en) for d in known.drug)
    else:
        output.line("switched off: no clinician has signed this table; decide with the local protocol")
    rows = [dataclasses.asdict(drug) for drug in known.drug] if known.active else []
    output.result({"schema": "trocar/drugs/1", "active": known.active, "signed_by": signed.name, "drugs": rows})


def schema(
    document: Annotated[
        str,
        typer.Argument(
            help="clinical, case, assessment, proposals, plan, edits, simulation, strength, verification or dossier."
        ),
    ],
    as_json: Json = False,
) -> None:
    """Print the JSON schema of a document, with the ranges of its numbers: one JSON object, with or without --json."""
    from trocar.io.schema import json_schema

    Output(as_json=True).result(json_schema(document))
