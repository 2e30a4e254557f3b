"""The command ``retreasure``: everything a person types.

What belongs here: arguments, printing and exit codes. What does not: the work itself.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource
from rich.console import Console

from retreasure_assets.errors import ConfigurationError, RetreasureError
from retreasure_assets.quarantine_commands import quarantine

errors = Console(file=sys.stderr, soft_wrap=True, highlight=False)
console = Console(file=sys.stdout, soft_wrap=True, highlight=False)

# Written out here: importing the sandbox takes longer than most commands.
FAULTS_HELP = (
    "Break answers on purpose. SPEC is a list such as '10%' (each request meets one of the faults that must not change "
    "the result, with 10 % probability), '429=5%,cut=2%', 'etsy:500=20%', 'defects=1%' (of the records). "
    "Kinds: 429, throttle, 500, 502, 503, timeout, cut, slow, garbled, token, skew, duplicate, reorder, late, shift; "
    "in records: malformed, missing, null, totals (defects for all of these), unknown, enum (novelties for both). "
    "Seconds: hold=2 before a timeout ends, drip=0.3 that a slow answer takes, retry=1 asked for by a 429."
)

WORLD_OPTIONS = [
    click.option("--seed", default=7, show_default=True, help="Another seed is another world."),
    click.option("--days", default=60, show_default=True, type=click.IntRange(1, 3650), help="Days of history."),
    click.option(
        "--scale", default=0.5, show_default=True, type=click.FloatRange(0.01, 1000), help="Size of the shop."
    ),
    click.option("--faults", metavar="SPEC", help=FAULTS_HELP),
]


def world_options(command: Any) -> Any:
    """Adds the options that choose a sandbox world."""
    for option in reversed(WORLD_OPTIONS):
        command = option(command)
    return command


class Commands(click.Group):
    """Turns the platform's errors into one sentence, a remedy and an exit code."""

    def invoke(self, context: click.Context) -> Any:
        """Run the command; no traceback reaches a person without --debug."""
        try:
            return super().invoke(context)
        except RetreasureError as error:
            if context.params.get("debug"):
                raise
            errors.print("[red]Error:[/red]", end=" ")
            errors.print(error.message, markup=False)
            errors.print("[bold]Remedy:[/bold]", end=" ")
            errors.print(error.remedy, markup=False)
            context.exit(error.exit_code)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            if context.params.get("debug"):
                raise
            errors.print(f"[red]Error:[/red] An unexpected {type(error).__name__} stopped the command.")
            errors.print("[bold]Remedy:[/bold] Run it again as `retreasure --debug ...` to see where; nothing is lost.")
            context.exit(1)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.version_option(package_name="retreasure")
def main(debug: bool) -> None:
    """ReTreasure's data platform: from the channels, the till and the exchange rates to bronze, silver and gold."""
    if not debug:
        warnings.simplefilter("ignore")


@main.command()
@click.option("--source", "sources", multiple=True, help="Read only this source; may be repeated.")
@click.option("--since", help="Read this window instead of what is new: its first moment, ISO 8601.")
@click.option("--until", help="The window's last moment.")
@click.pass_context
def run(context: click.Context, sources: tuple[str, ...], since: str | None, until: str | None) -> None:
    """Read what is new, build silver and gold, show the result."""
    from retreasure_assets.settings import active_settings

    settings = active_settings()
    if not settings.configured:
        from retreasure_assets.sources.registry import half_configured

        for mistake in half_configured(settings).values():
            raise mistake
        raise ConfigurationError(
            "No source is configured.",
            remedy="Set the credentials of one (README, 'Connect a real shop'), drop a file, or try `retreasure demo`.",
        )
    context.exit(_run(context, sources, since, until))


def _run(context: click.Context, sources: tuple[str, ...], since: str | None, until: str | None) -> int:
    from retreasure_assets.collector import without_collector

    with without_collector():
        from retreasure_assets.automation.run import run_platform
    from retreasure_assets.console import Progress, show_outcome
    from retreasure_assets.resources.platform import Platform
    from retreasure_assets.settings import active_settings

    progress = Progress(console)
    platform = Platform(active_settings(), reporter=progress)
    debug = bool(context.find_root().params["debug"])
    with nullcontext() if debug else silenced_libraries():
        outcome = run_platform(platform, sources=sources, since=since, until=until)
    show_outcome(console, errors, platform, progress, outcome, debug=debug)
    return outcome.exit_code


@main.command()
@world_options
@click.pass_context
def demo(context: click.Context, seed: int, days: int, scale: float, faults: str | None) -> None:
    """Start the sandbox, pull from it, build bronze to gold, show the result."""
    from retreasure_assets.settings import load_settings

    if load_settings().configured:
        raise ConfigurationError(
            "A real source is configured, and the demo would mix invented records into its data.",
            remedy="Use `retreasure run`, or set RETREASURE_HOME to an empty folder without the sources' variables.",
        )
    from retreasure_assets.sandbox.process import sandbox_process
    from retreasure_assets.sandbox.world import WorldSpec

    with sandbox_process(WorldSpec(seed, days, scale), faults, say=console.print, meanwhile=_import_engines):
        code = _run(context, (), None, None)
    context.exit(code)


@main.command()
@click.option("--port", default=0, show_default=True, help="Port to listen on; 0 takes a free one.")
@world_options
@click.option(
    "--drop",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder that the till and the clickstream write into.",
)
@click.option("--truth", is_flag=True, help="Print the truth the world was generated from, as JSON, and stop.")
def sandbox(port: int, seed: int, days: int, scale: float, faults: str | None, drop: Path | None, truth: bool) -> None:
    """Serve an invented ReTreasure through the platforms' own API shapes.

    GET /sandbox tells which faults were met, which records were spoiled and which requests broke a contract.
    """
    from retreasure_assets.sandbox.ads import write_ad_files
    from retreasure_assets.sandbox.clicks import write_click_files
    from retreasure_assets.sandbox.geo import write_geo_files
    from retreasure_assets.sandbox.server import Handling, read_faults, serve
    from retreasure_assets.sandbox.till import write_till_files
    from retreasure_assets.sandbox.truth import truth as true_gold
    from retreasure_assets.sandbox.world import WorldSpec, generate_world

    handling = Handling(read_faults(faults))
    world = generate_world(WorldSpec(seed=seed, days=days, scale=scale))
    if truth:
        import json

        click.echo(json.dumps(true_gold(world), indent=1, ensure_ascii=False))
        return
    if drop is not None:
        write_till_files(world, drop)
        write_click_files(world, drop)
        write_geo_files(drop)
        write_ad_files(world, drop)
    serve(world, port, announce=lambda url: click.echo(f"The sandbox serves {url}"), handling=handling)


@main.command()
@click.argument("sql")
@click.option("--format", "layout", type=click.Choice(["table", "json", "csv"]), default="table", show_default=True)
def query(sql: str, layout: str) -> None:
    """Read-only SQL over bronze, silver, gold, quarantine and ops."""
    from retreasure_assets.console import show_rows
    from retreasure_assets.lake.query import query as run_query
    from retreasure_assets.lake.storage import Lake
    from retreasure_assets.settings import active_settings

    show_rows(console, run_query(Lake(active_settings().lake_path), sql), layout)


@main.command()
@click.option("--format", "layout", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.pass_context
def doctor(context: click.Context, layout: str) -> None:
    """Say of each source, the vault and this machine whether they are fit to work, and what is missing."""
    from retreasure_assets.console import show_findings
    from retreasure_assets.doctor import examine, exit_code
    from retreasure_assets.settings import load_settings

    findings = examine(load_settings())
    show_findings(console, findings, layout)
    context.exit(exit_code(findings))


main.add_command(quarantine)


@main.command()
@click.option("--format", "layout", type=click.Choice(["table", "json"]), default="table", show_default=True)
def status(layout: str) -> None:
    """Say how the platform does: sources, tables, what fails and what is in quarantine."""
    from retreasure_assets.console_status import show_status
    from retreasure_assets.settings import active_settings
    from retreasure_assets.status import look

    show_status(console, look(active_settings()), layout)


@main.command()
@click.option(
    "--glossary", type=click.Path(dir_okay=False, path_type=Path), help="Write the glossary of figures here, too."
)
@click.option("--if-outdated", is_flag=True, help="Do nothing when the project is as it was documented.")
def docs(glossary: Path | None, if_outdated: bool) -> None:
    """Build the documentation of silver and gold: one page, to be opened in a browser."""
    import json

    from retreasure_assets.resources.docs_site import build_site, is_current, site_of
    from retreasure_assets.resources.docs_site import glossary as glossary_of
    from retreasure_assets.resources.platform import Platform
    from retreasure_assets.settings import active_settings

    settings = active_settings()
    if if_outdated and is_current(settings):
        return
    with nullcontext() if click.get_current_context().find_root().params["debug"] else silenced_libraries():
        site = build_site(settings, list(Platform(settings).entities))
    if glossary is not None:
        glossary.write_text(glossary_of(json.loads(site.manifest.read_bytes())), "utf-8")
    console.print(f"The documentation is {site_of(settings).page}")


@main.command()
@click.option("--port", default=3000, show_default=True, help="Port of the Dagster UI.")
@click.option("--docs-port", default=3001, show_default=True, help="Port of the documentation.")
@world_options
@click.pass_context
def up(
    context: click.Context, port: int, docs_port: int, seed: int, days: int, scale: float, faults: str | None
) -> None:
    """Serve the Dagster UI with schedules and sensors, and the documentation, until Ctrl-C.

    While no source is configured they work on a sandbox: the world of the last demo, unless another one is asked for.
    """
    from retreasure_assets.automation.dead_runs import free_slots_of_dead_runs
    from retreasure_assets.automation.run import dagster_instance
    from retreasure_assets.quality.docs import docs_folder
    from retreasure_assets.resources.docs_site import served, site_of
    from retreasure_assets.sandbox.homes import world_in
    from retreasure_assets.sandbox.process import sandbox_process
    from retreasure_assets.sandbox.world import WorldSpec
    from retreasure_assets.settings import active_settings, load_settings

    # A service manager stops with SIGTERM: end as Ctrl-C does, with no process left behind. Whoever is started by a
    # script with & ignores SIGINT, and so would the servers, which are stopped with it.
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, signal.default_int_handler)
    settings = active_settings()
    world = WorldSpec(seed, days, scale)
    asked = [context.get_parameter_source(name) for name in ("seed", "days", "scale")]
    if all(source is ParameterSource.DEFAULT for source in asked):
        world = world_in(settings.home) or world
    source = nullcontext() if load_settings().configured else sandbox_process(world, faults, say=console.print)
    with source, served(site_of(settings).page, docs_folder(settings), docs_port) as address:
        with dagster_instance(settings.home) as instance:
            free_slots_of_dead_runs(instance, settings)
        console.print(f"Dagster UI: http://127.0.0.1:{port}  (Ctrl-C stops it)")
        console.print(f"Documentation: {address}")
        command = [sys.executable, "-m", "dagster", "dev", "-m", "retreasure_assets.definitions", "-p", str(port)]
        # A process of its own: it takes seconds and memory that the servers would miss.
        writer = subprocess.Popen([sys.executable, "-m", "retreasure_assets.cli", "docs", "--if-outdated"])
        server = subprocess.Popen([*command, "--log-level", "warning"])
        try:
            server.wait()
        except KeyboardInterrupt:
            server.send_signal(signal.SIGINT)
            server.wait(timeout=60)
        finally:
            writer.terminate()
            writer.wait(timeout=60)


@contextmanager
def silenced_libraries() -> Iterator[None]:
    """While it lasts, nothing reaches standard error: panics of native threads and Dagster's tracebacks go past Python.

    What a person must know of them comes back as an error or a failed step.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)


def _import_engines() -> None:
    """Import Dagster and dbt, which takes seconds, before anything needs them."""
    from retreasure_assets.collector import without_collector

    with without_collector():
        import retreasure_assets.automation.run  # noqa: F401
        from retreasure_assets.resources.dbt import import_dbt
    import_dbt()


if __name__ == "__main__":
    main()
