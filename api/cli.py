"""The command line: ``./duban serve | worker | user | token | replay | verify | …``."""

from importlib import import_module

import click

PLACES = {
    "archive": ("api.cli_archive", "archive"),
    "backup": ("api.cli_upkeep", "backup"),
    "bench": ("api.cli_demo", "bench"),
    "calendar": ("api.cli_calendar", "calendar"),
    "demo": ("api.cli_demo", "demo"),
    "deploy": ("api.cli_upkeep", "deploy"),
    "diagram": ("api.cli_replay", "diagram"),
    "differences": ("api.cli_replay", "differences"),
    "erase": ("api.cli_erasure", "erase"),
    "evidence": ("api.cli_evidence", "evidence"),
    "export-log": ("api.cli_replay", "export_log"),
    "figures": ("api.cli_replay", "figures"),
    "export-register": ("api.cli_ledger", "export_register"),
    "heads": ("api.cli_evidence", "heads"),
    "import-register": ("api.cli_ledger", "import_register"),
    "incidents": ("api.cli_incidents", "incidents"),
    "lint": ("api.cli_upkeep", "lint"),
    "rebuild": ("api.cli_proof", "rebuild"),
    "register": ("api.cli_replay", "register"),
    "replay": ("api.cli_demo", "replay"),
    "restore": ("api.cli_upkeep", "restore"),
    "scenario": ("api.cli_demo", "scenario"),
    "serve": ("api.cli_serve", "serve"),
    "token": ("api.cli_people", "token"),
    "user": ("api.cli_people", "user"),
    "verify": ("api.cli_proof", "verify"),
    "verify-bundle": ("api.cli_evidence", "verify_bundle"),
    "what-if": ("api.cli_replay", "what_if"),
    "worker": ("api.cli_serve", "worker"),
}
"""Where each command is; a module is only imported when one of its commands is asked for."""


class Commands(click.Group):
    """A group whose commands are imported when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands."""
        return sorted(PLACES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in PLACES:
            return None
        module, name = PLACES[cmd_name]
        command: click.Command = vars(import_module(module))[name]
        return command


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """督办 duban: case management for government supervision."""


if __name__ == "__main__":
    main(prog_name="duban")
