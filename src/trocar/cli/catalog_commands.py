"""The commands that need no dossier: the catalog of devices, the rules and the schemas of the documents."""

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


def schema(
    document: Annotated[
        str, typer.Argument(help="clinical, case, assessment, proposals, plan, simulation, verification or dossier.")
    ],
    as_json: Json = False,
) -> None:
    """Print the JSON schema of a document, with the ranges of its numbers: one JSON object, with or without --json."""
    from trocar.io.schema import json_schema

    Output(as_json=True).result(json_schema(document))
