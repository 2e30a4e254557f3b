"""Who answers for an asset, and which source it comes from, as the definitions say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from retreasure_assets.automation.observing import Catalogue
from retreasure_assets.lake.failures import DEFAULT_OWNER
from retreasure_assets.resources.platform import Platform

if TYPE_CHECKING:
    from dagster._core.definitions.assets.graph.base_asset_graph import BaseAssetGraph


def catalogue_of(graph: BaseAssetGraph, platform: Platform) -> Catalogue:  # type: ignore[type-arg]
    """What the definitions of this platform say of its assets."""

    def owner(key: dg.AssetKey) -> str:
        owners = graph.get(key).owners if graph.has(key) else ()
        return next(iter(owners), DEFAULT_OWNER)

    return Catalogue(owner, {table: entity.source for table, entity in platform.entities.items()})
