"""The command `roomctl` (also `python -m roomctl`)."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

import click
from click.shell_completion import get_completion_class

from roomctl.cli.check import check
from roomctl.cli.devices import devices
from roomctl.cli.status import Status
from roomctl.errors import AgentError

SHELLS = ("bash", "zsh", "fish")
COMPLETE = "_ROOMCTL_COMPLETE"


@click.group(invoke_without_command=True)
@click.option("--config", type=click.Path(path_type=Path), help="TOML file of the room.")
@click.option("--verbose", is_flag=True, help="Log more.")
@click.pass_context
def roomctl(context: click.Context, config: Path | None, verbose: bool) -> int:
    """The room controller: `roomctl --config FILE` runs a room."""
    context.obj = {"config": config}
    if context.invoked_subcommand is not None:
        level = logging.INFO if verbose else logging.CRITICAL  # commands print what they find themselves
        logging.basicConfig(level=level, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
        return Status.OK
    if config is None:
        raise click.UsageError("--config FILE is needed to run a room (or a command: keygen, check, devices).")
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    from roomctl.run import run_file  # the agent's packages take a second to load: not for each command

    return run_file(config)


@roomctl.command()
@click.option("--key", type=click.Path(path_type=Path), required=True, help="File to write.")
def keygen(key: Path) -> int:
    """Make the agent's key and print the public key to enrol."""
    from roomctl.cli.keygen import make_key

    return make_key(key)


@roomctl.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> int:
    """Print the completion script: `roomctl completion bash > /etc/bash_completion.d/roomctl`."""
    made = get_completion_class(shell)
    assert made is not None
    click.echo(made(roomctl, {}, "roomctl", COMPLETE).source())
    return Status.OK


roomctl.add_command(check)
roomctl.add_command(devices)


def main(arguments: list[str] | None = None) -> int:
    """Command line; the process's exit status."""
    try:
        status = roomctl.main(arguments, prog_name="roomctl", complete_var=COMPLETE, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return 130
    except AgentError as error:
        print(error, file=sys.stderr)
        return Status.FAILED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing more can be said
        return Status.FAILED
    return int(status or 0)
