"""The commands that need no dossier: the catalog of devices and the schemas of the documents."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trocar.cli.options import Json
from trocar.cli.output import Output


def devices(
    device_id: Annotated[str | None, typer.Argument(metavar="ID", help="One device; without it, all.")] = None,
    calibrate: Annotated[
        Path | None,
        typer.Option("--calibrate", metavar="TABLE.csv", help="Fit the cryoprobe ID to its isotherm table."),
    ] = None,
    convective: Annotated[
        bool, typer.Option("--convective", help="Fit the cold fluid and its exchange, instead of the surface.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show the catalog of devices, each figure with its source."""
    from trocar.catalog import device, devices
    from trocar.cli.summary import device_lines, device_values

    output = Output(as_json=as_json)
    if calibrate is not None:
        _calibrate(device_id, calibrate, output, by_fluid=convective)
        return
    if device_id is not None:
        chosen = device(device_id)
        for line in device_lines(chosen):
            output.line(line)
        output.result({"schema": "trocar/device/1", **device_values(chosen)})
        return
    known = devices()
    output.table((item.id, item.kind, item.name) for item in known.values())
    output.result({"schema": "trocar/devices/1", "devices": [device_values(item) for item in known.values()]})


def _calibrate(device_id: str | None, table: Path, output: Output, *, by_fluid: bool) -> None:
    """Print what a table tells about a cryoprobe, and the catalog entry that results."""
    from trocar.catalog import device
    from trocar.catalog.calibrated import calibrate_probe
    from trocar.cli.calibration_summary import calibration_lines, calibration_values
    from trocar.errors import CatalogError
    from trocar.model.device import Cryoprobe

    probe = device(device_id) if device_id is not None else None
    if not isinstance(probe, Cryoprobe):
        raise CatalogError("--calibrate needs a cryoprobe", hint="trocar devices ID --calibrate TABLE.csv")
    found = calibrate_probe(table, probe, by_fluid=by_fluid)
    for line in calibration_lines(found):
        output.line(line)
    output.result(calibration_values(found))


def schema(
    document: Annotated[
        str, typer.Argument(help="clinical, case, assessment, proposals, plan, simulation, verification or dossier.")
    ],
    as_json: Json = False,
) -> None:
    """Print the JSON schema of a document, with the ranges of its numbers: one JSON object, with or without --json."""
    from trocar.io.schema import json_schema

    Output(as_json=True).result(json_schema(document))
