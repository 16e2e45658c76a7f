"""The command line: one command per stage, `--json` for programs, `error:` and `hint:` lines, never a traceback."""


def main() -> None:
    """Run the command that the arguments name and exit with its code."""
    import sys

    from trocar.cli.commands import run_command

    sys.exit(run_command(sys.argv[1:]))
