"""dbt's macros, made ready when they are asked for.

What belongs here: the names that a model's Jinja finds. What does not: compiling templates (templates.py), running dbt
(dbt.py).

Before each model dbt makes a callable of each of the 900 macros, twice, of which a model calls some dozens: a sixth of
the CPU of a build of few rows. Here a name is looked up as dbt would (the model's own package, the project, other
packages, dbt and its adapter), and its callable made then.
"""

from __future__ import annotations

from collections import UserDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from retreasure_assets.resources.stand_ins import standing_in

if TYPE_CHECKING:
    from dbt.clients.jinja import MacroGenerator
    from dbt.context.macros import MacroNamespace, MacroNamespaceBuilder
    from dbt.context.manifest import ManifestContext
    from dbt.contracts.graph.nodes import Macro


@contextmanager
def macros_when_asked_for() -> Iterator[None]:
    """While it lasts, dbt's contexts hold macros that are made when they are asked for."""
    from dbt.clients.jinja import MacroGenerator, get_rendered
    from dbt.context.base import BaseContext, Var
    from dbt.context.macro_resolver import TestMacroNamespace
    from dbt.context.macros import MacroNamespace, MacroNamespaceBuilder
    from dbt.context.manifest import ManifestContext
    from dbt_common.clients.jinja import MacroFuzzTemplate, NativeSandboxTemplate

    own_namespace, own_names = ManifestContext._build_namespace, ManifestContext.to_dict

    def build(
        self: MacroNamespaceBuilder, macros_by_package: dict[str, dict[str, Macro]], ctx: dict[str, Any]
    ) -> MacroNamespace:
        def made(macro: Macro) -> MacroGenerator:
            return MacroGenerator(macro, ctx, self.node, self.thread_ctx)

        # Of dbt and its adapter; the first to have a name counts.
        of_dbt: dict[str, Macro] = {}
        for package in reversed(self.internal_package_names_order):
            of_dbt |= macros_by_package.get(package, {})
        others = {name: one for name, one in macros_by_package.items() if name not in self.internal_package_names}
        own = others.get(self.search_package, {})
        of_root = others.get(self.root_package, {}) if self.root_package != self.search_package else {}
        # What a unit test puts in one of them is not to be found in another.
        return MacroNamespace(
            global_namespace=_Macros(of_root, made),  # type: ignore[arg-type]
            local_namespace=_Macros(own, made),  # type: ignore[arg-type]
            global_project_namespace=_Macros(of_dbt, made),  # type: ignore[arg-type]
            packages={name: _Macros(macros, made) for name, macros in others.items()},  # type: ignore[misc]
        )

    def build_names(self: ManifestContext) -> MacroNamespace:
        # What macros get as their context has to be what finds macros.
        names = _Names()
        self._ctx = names  # type: ignore[assignment]
        names.behind = namespace = own_namespace(self)
        return namespace

    def names_of(self: ManifestContext) -> dict[str, Any]:
        names: object = self._ctx
        if isinstance(self.namespace, TestMacroNamespace) or not isinstance(names, _Names):
            return own_names(self)  # type: ignore[no-any-return, no-untyped-call]
        BaseContext.to_dict(self)
        # A macro stands in for what dbt has under its name.
        names.data.update({name: self.namespace[name] for name in names.data if name in self.namespace})
        return names  # type: ignore[return-value]

    def variable(self: Var, name: str) -> Any:
        # dbt hands over a copy of all names; none is changed by what reads a variable.
        raw = self._merged[name]
        return get_rendered(raw, self._context) if isinstance(raw, str) else raw  # type: ignore[arg-type]

    with standing_in(
        (MacroNamespaceBuilder, "build_namespace", build),
        (ManifestContext, "_build_namespace", build_names),
        (ManifestContext, "to_dict", names_of),
        (Var, "get_rendered_var", variable),
        # The other kind of template, which copies all names, would have each of them made.
        (NativeSandboxTemplate, "new_context", MacroFuzzTemplate.new_context),
    ):
        yield


class _Names(UserDict[str, Any]):
    """What was put here by name, else what is behind."""

    def __init__(self, behind: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self.behind = behind or {}

    def __missing__(self, name: str) -> Any:
        return self.behind[name]

    def __contains__(self, name: object) -> bool:
        return name in self.data or name in self.behind

    def __iter__(self) -> Iterator[str]:
        yield from self.data
        yield from (name for name in self.behind if name not in self.data)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __bool__(self) -> bool:
        # Asked before each look-up: not by counting.
        return bool(self.data or self.behind)


class _Macros(_Names):
    """The macros of one package; dbt's unit tests put others in their places."""

    def __init__(self, macros: Mapping[str, Macro], made: Callable[[Macro], MacroGenerator]) -> None:
        super().__init__(macros)
        self._made = made

    def __missing__(self, name: str) -> MacroGenerator:
        macro = self.data[name] = self._made(self.behind[name])
        return macro
