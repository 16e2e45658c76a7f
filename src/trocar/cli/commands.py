"""Every command of `trocar`, and how one command line runs. Heavy modules load inside the command that needs them."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from trocar.cli.case_commands import approve, new, status
from trocar.cli.catalog_commands import devices, drugs, rules, schema
from trocar.cli.collapse_command import collapse
from trocar.cli.document_commands import documents
from trocar.cli.output import Output
from trocar.cli.reach_commands import access, corridors
from trocar.cli.stage_commands import assess, demo, plan, propose, report, run, schedule, simulate, verify
from trocar.cli.strength_command import strength
from trocar.errors import InputError, TrocarError

app = typer.Typer(
    name="trocar",
    help="Plan, simulate and check combined percutaneous treatment of bone metastases. "
    "Research and education software, not a medical device.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
UsageError: type[Any] = typer.BadParameter.__mro__[1]

SEVERAL_VALUES = ("--structure", "--markups", "--phase")


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


COMMANDS = (
    *(new, assess, propose, schedule, access, corridors, plan, simulate, strength, collapse, verify, report),
    *(documents, run, status, approve, devices, rules, drugs, schema, demo),
)
for command in COMMANDS:  # in the order in which `trocar --help` lists them
    app.command()(command)
