"""What a build leaves out of dbt's work changes nothing that a model, a test or a listener can tell."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from types import SimpleNamespace
from typing import Any

import pytest
from dbt.clients.jinja import MacroGenerator, get_rendered
from dbt.compilation import Linker
from dbt.context.base import Var
from dbt.context.macros import MacroNamespaceBuilder
from dbt.context.manifest import ManifestContext
from dbt.contracts.project import Configuration, PackageConfig, Project, ProjectFlags
from dbt_common.behavior_flags import Behavior, BehaviorFlag
from dbt_common.clients import agate_helper
from dbt_common.dataclass_schema import ValidationError
from dbt_common.events import types
from dbt_common.events.base_types import EventLevel
from dbt_common.events.event_manager import EventManager

from retreasure_assets.resources.dbt_events import without_details
from retreasure_assets.resources.dbt_macros import macros_when_asked_for
from retreasure_assets.resources.dbt_start import quick_start
from retreasure_assets.resources.dbt_tables import kept_type_testers
from retreasure_assets.resources.dbt_validation import validated_before

#: Package -> its macros. Names meet between all kinds of packages, and one meets what dbt itself has.
MACROS = {
    "shop": ["own", "shared", "ref"],
    "theirs": ["theirs", "shared", "of_all"],
    "dbt": ["core", "of_all", "shared", "dbt_or_duckdb"],
    "dbt_duckdb": ["duckdb", "dbt_or_duckdb"],
}
NAMES = {name for names in MACROS.values() for name in names} | {"theirs", "shop", "dbt"}


class Context(ManifestContext):
    """A context without a project's configuration."""

    def generate_builtins(self) -> dict[str, Any]:
        return {"ref": "dbt's own", "zone": "UTC"}

    def _get_namespace_builder(self) -> MacroNamespaceBuilder:
        return MacroNamespaceBuilder("shop", self.search_package, self.macro_stack, ["dbt_duckdb", "dbt"], None)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The macros that a callable was made of."""
    names: list[str] = []
    own = MacroGenerator.__init__

    def noting(self: MacroGenerator, macro: Any, *rest: Any, **options: Any) -> None:
        names.append(macro.name)
        own(self, macro, *rest, **options)

    monkeypatch.setattr(MacroGenerator, "__init__", noting)
    return names


def context(package: str = "shop") -> Context:
    macros = {
        of: {
            name: SimpleNamespace(name=name, package_name=of, unique_id=f"{of}.{name}", macro_sql=said(of, name))
            for name in names
        }
        for of, names in MACROS.items()
    }
    manifest = SimpleNamespace(get_macros_by_package=lambda: macros)
    return Context(SimpleNamespace(cli_vars={}, project_name="shop", to_target_dict=dict), manifest, package)  # type: ignore[arg-type]


def said(package: str, name: str) -> str:
    """A macro's source; it calls another one by its name alone."""
    tail = "{{ core() }}" if name == "own" else ""
    return f"{{% macro {name}() %}}{package}.{name} {tail}{{% endmacro %}}"


def known(value: Any) -> Any:
    """A macro's identity, a package's macros, or what else a name stands for."""
    if isinstance(value, MacroGenerator):
        return value.macro.unique_id  # type: ignore[attr-defined]
    return {name: known(one) for name, one in value.items()} if hasattr(value, "items") else value


def everything(names: Any) -> dict[str, Any]:
    return {name: known(names[name]) for name in names if name not in ("context", "builtins")}


@pytest.mark.parametrize("package", MACROS)
def test_each_name_means_the_same(package: str) -> None:
    expected = everything(context(package).to_dict())  # type: ignore[no-untyped-call]
    assert set(expected) >= NAMES
    with macros_when_asked_for():
        names = context(package).to_dict()  # type: ignore[no-untyped-call]
        assert {name: known(names[name]) for name in NAMES | {"zone"}} == {
            name: expected[name] for name in NAMES | {"zone"}
        }
        assert everything(names) == everything(dict(names)) == expected
        assert len(names) == len(dict(names))
        assert "nobody" not in names
        assert names.get("nobody", 7) == 7
        with pytest.raises(KeyError):
            names["nobody"]
        assert names["context"] is names
    assert everything(context(package).to_dict()) == expected  # type: ignore[no-untyped-call]


def test_only_macros_that_are_called_are_made(made: list[str]) -> None:
    with macros_when_asked_for():
        names = context().to_dict()  # type: ignore[no-untyped-call]
        assert get_rendered("{{ own() }}and {{ theirs.of_all() }}, {{ zone }}", names) == (
            "shop.own dbt.core and theirs.of_all , UTC"
        )
        # `ref` stands in for dbt's own of that name, and is made with the names.
        assert made == ["ref", "own", "core", "of_all"]
        assert names["own"] is names["own"]
        # A unit test puts something in a macro's place, by its package too.
        names["shop"]["own"], names["dbt"]["new"] = "another", "one more"
        assert (names["shop"]["own"], known(names["own"])) == ("another", "shop.own")
        assert dict(names["dbt"]).keys() == {"core", "of_all", "shared", "dbt_or_duckdb", "duckdb", "new"}
        # The other kind of template, and a variable that is one.
        assert get_rendered("{{ 6 * 7 if own() else 0 }}", names, native=True) == 42
        variables = Var(names, {"said": "{{ theirs.theirs() }}", "seven": 7})
        assert (variables("said"), variables("seven"), variables("none", 1)) == ("theirs.theirs ", 7, 1)


@pytest.fixture
def told() -> Callable[..., list[str]]:
    """Fires an event, and tells what listeners heard."""
    heard: list[str] = []
    manager = EventManager()
    manager.callbacks.append(lambda message: heard.append(f"{message.info.level} {message.info.msg}"))

    def fire(event: Any, level: EventLevel | None = None) -> list[str]:
        manager.fire_event(event, level)
        return heard

    return fire


def test_details_get_no_message(told: Callable[..., list[str]]) -> None:
    with without_details():
        event = types.SystemExecutingCmd(cmd=["ls"])
        assert "pb_msg" not in event.__dict__
        assert told(event) == []
        assert told(types.Note(msg="of a level of its own")) == ["info of a level of its own"]
        # Fired as of a higher level, it is told whole.
        assert told(event, EventLevel.WARN)[-1] == 'warn Executing "ls"'
    assert told(types.SystemExecutingCmd(cmd=["ls"]))[-1] == 'debug Executing "ls"'
    assert types.SystemExecutingCmd(cmd=["ls"]).cmd == ["ls"]


def test_a_column_has_the_type_it_had() -> None:
    rows: list[dict[str, Any]] = [{"text": "005", "number": 5, "day": "2026-11-29", "none": None}]

    def table() -> tuple[list[str], list[Any]]:
        made = agate_helper.table_from_data_flat(rows, [*rows[0]])
        return [type(one).__name__ for one in made.column_types], [*made.rows[0]]

    expected = table()
    with kept_type_testers():
        assert table() == table() == expected
        testers = [agate_helper.build_type_tester(names, string_null_values=()) for names in (["a", "b"], {"b", "a"})]
        assert testers[0] is testers[1]
        assert agate_helper.build_type_tester(["a"]) is not testers[0]
        assert len(agate_helper.empty_table().rows) == 0
    assert agate_helper.build_type_tester(["a"]) is not agate_helper.build_type_tester(["a"])


def test_the_project_alone_is_taken_for_valid_and_only_for_a_while() -> None:
    wrong = {"name": "shop", "version": ["1.0"]}
    with validated_before():
        Project.validate(wrong)
        ProjectFlags.validate({"warn_error": "perhaps"})
        with pytest.raises(ValidationError, match="is not valid"):
            PackageConfig.validate({"packages": [{"local": 1}]})
    for kind, data in ((Project, wrong), (ProjectFlags, {"warn_error": "perhaps"}), (Configuration, wrong)):
        with pytest.raises(ValidationError, match="is not valid"):
            kind.validate(data)


def test_a_behaviour_flag_is_of_the_module_that_has_it() -> None:
    def source() -> str:
        flag: BehaviorFlag = {"name": "new_way", "default": False, "description": "Another way."}
        return str(Behavior([flag], {}).new_way._behavior_change_event.flag_source)

    expected = source()
    with quick_start():
        assert source() == expected == __name__


def test_a_cycle_is_found_as_before() -> None:
    linker = Linker()  # type: ignore[no-untyped-call]
    for model, needed in (("lines", "orders"), ("facts", "lines")):
        linker.dependency(model, needed)  # type: ignore[no-untyped-call]
    with quick_start():
        assert linker.find_cycles() is None  # type: ignore[no-untyped-call]
    linker.dependency("orders", "facts")  # type: ignore[no-untyped-call]
    expected = linker.find_cycles()  # type: ignore[no-untyped-call]
    with quick_start():
        assert linker.find_cycles() == expected == "lines --> facts --> orders"  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    ("stands_in", "owner", "name"),
    [
        (macros_when_asked_for, ManifestContext, "to_dict"),
        (macros_when_asked_for, MacroNamespaceBuilder, "build_namespace"),
        (without_details, EventManager, "fire_event"),
        (kept_type_testers, agate_helper, "build_type_tester"),
        (quick_start, Linker, "find_cycles"),
    ],
)
def test_dbt_is_itself_again_after_an_error(
    stands_in: Callable[[], AbstractContextManager[None]], owner: Any, name: str
) -> None:
    own = getattr(owner, name)
    found = []
    with pytest.raises(ZeroDivisionError), stands_in():
        found.append(getattr(owner, name) is own or 1 / 0)
    assert found == []
    assert getattr(owner, name) is own
