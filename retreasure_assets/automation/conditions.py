"""When assets rebuild by themselves."""

from __future__ import annotations

import dagster as dg

#: As soon as anything upstream has new data and nothing upstream is still being built. Unlike the stock eager
#: condition it does not wait for sources that are off and so have never been materialised.
WHEN_UPSTREAM_CHANGES: dg.AutomationCondition[dg.AssetKey] = dg.AutomationCondition.eager().without(
    ~dg.AutomationCondition.any_deps_missing()
)
