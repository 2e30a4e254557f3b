"""Exchange rates: the ECB's reference rates, and an intraday JSON provider."""

from retreasure_assets.sources.fx.connector import FxConnector
from retreasure_assets.sources.fx.entities import ECB_RATES, ENTITIES, INTRADAY_RATES

__all__ = ["ECB_RATES", "ENTITIES", "INTRADAY_RATES", "FxConnector"]
