"""The commands that need no dossier: the catalog of devices and the schemas of the documents."""

from __future__ import annotations

from typing import Annotated

import typer

from trocar.cli.options import Json
from trocar.cli.output import Output


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


def schema(
    document: Annotated[
        str, typer.Argument(help="clinical, case, assessment, proposals, plan, simulation, verification or dossier.")
    ],
    as_json: Json = False,
) -> None:
    """Print the JSON schema of a document, with the ranges of its numbers: one JSON object, with or without --json."""
    from trocar.io.schema import json_schema

    Output(as_json=True).result(json_schema(document))
