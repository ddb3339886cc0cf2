"""The shapes of history and configurations, for the OpenAPI document: the bytes come from the shared actors, and
what is sent is read by `optionchain.history.wire`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

_NUMBER = {"type": ["number", "null"]}
_NUMBERS = (
    "bid",
    "ask",
    "last",
    "volume",
    "open_interest",
    "implied_volatility",
    "delta",
    "gamma",
    "theta",
    "vega",
)
_QUOTE_SCHEMA = {
    "type": "object",
    "properties": dict.fromkeys(
        ("bid", "ask", "last", "implied_volatility", "delta", "volume", "open_interest"), _NUMBER
    ),
}
_CHAINS_SCHEMA = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "required": ["expiration", "contracts"],
        "properties": {
            "expiration": {"type": "string", "format": "date"},
            "contracts": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["strike"],
                    "properties": {
                        "strike": {"type": "number", "exclusiveMinimum": 0},
                        "call": _QUOTE_SCHEMA,
                        "put": _QUOTE_SCHEMA,
                    },
                },
            },
        },
    },
}
_UNDERLYING_SCHEMA = {
    "type": "object",
    "required": ["price"],
    "properties": {"price": {"type": "number", "exclusiveMinimum": 0}},
}
EXAMPLE: dict[str, Any] = {
    "quote_time": "2024-01-02T21:00:00Z",
    "underlying": {"price": 4742.83},
    "chains": [
        {
            "expiration": "2024-01-19",
            "contracts": [
                {
                    "strike": 4750.0,
                    "call": {"bid": 41.2, "ask": 41.8, "implied_volatility": 0.118, "delta": 0.5},
                    "put": {"bid": 40.1, "ask": 40.7, "implied_volatility": 0.118, "delta": -0.5},
                }
            ],
        }
    ],
}


class HistoricalChainBody(BaseModel):
    """The chain of one day; a number that nobody knows may be absent or null."""

    model_config = ConfigDict(
        extra="allow", json_schema_extra={"examples": [EXAMPLE], "required": ["underlying", "chains"]}
    )

    quote_time: Any = Field(None, description="RFC 3339; midnight UTC of the day where it is absent")
    underlying: Annotated[Any, WithJsonSchema(_UNDERLYING_SCHEMA)] = None
    chains: Annotated[Any, WithJsonSchema(_CHAINS_SCHEMA)] = None


class HistoricalQuote(BaseModel):
    """One side of a strike; null where the source did not say."""

    model_config = ConfigDict(extra="allow")

    bid: float | None
    ask: float | None
    implied_volatility: float | None
    delta: float | None


class HistoricalContract(BaseModel):
    strike: float
    call: HistoricalQuote
    put: HistoricalQuote


class HistoricalExpiration(BaseModel):
    expiration: str
    days_to_expiration: int
    contracts: list[HistoricalContract]


class HistoricalUnderlying(BaseModel):
    symbol: str
    price: float


class HistoricalChainView(BaseModel):
    """The chain of an asset as quoted on one day."""

    asset: str
    date: str
    quote_time: str
    underlying: HistoricalUnderlying
    chains: list[HistoricalExpiration]


class SavedChain(BaseModel):
    """What was stored."""

    asset: str
    date: str
    contracts: int = Field(description="Strikes, over all expirations")


class Days(BaseModel):
    """The first and the last day."""

    from_: str = Field(alias="from")
    to: str


class ChainDays(Days):
    days: int = Field(description="With a chain")


class AssetView(Days):
    """What is stored of an asset."""

    asset: str
    chains: ChainDays | None
    prices: dict[str, Days] = Field(description="By time frame")


class AssetList(BaseModel):
    data: list[AssetView]


class Bar(BaseModel):
    time: str = Field(description="The beginning, RFC 3339 in UTC")
    open: float | None
    high: float | None
    low: float | None
    close: float
    volume: float | None


class Bars(BaseModel):
    """The bars of a period, in order."""

    asset: str
    timeframe: str
    data: list[Bar]


class VolatilityRow(BaseModel):
    """The smile of one expiration on one day."""

    date: str
    expiration: str
    days_to_expiration: int
    atm_volatility: float | None
    put_volatility: float | None = Field(description="Of the put at the lower wing")
    call_volatility: float | None = Field(description="Of the call at the upper wing")
    skew: float | None = Field(description="Put minus call")


class VolatilityTable(BaseModel):
    data: list[VolatilityRow]


class RealisedVolatility(Days):
    """Of the daily closes of a period."""

    asset: str
    volatility: float | None = Field(
        description="Annualised by 252 days; null where there are fewer than three closes"
    )


class Result(BaseModel):
    """The steps that a session was served since its parameters became what they are."""

    parameters: dict[str, Any] = Field(description="A request with them gives the same simulation")
    served_steps: int
    prices: list[float] = Field(description="Of the underlying, from step 0 on")
    volatilities: list[float] = Field(description="Annualised, at the money")
    stored_at: str


class ResultList(BaseModel):
    """What was kept of a session."""

    data: list[Result]


class ConfigurationVersion(BaseModel):
    """Who stored a version, and when."""

    name: str
    version: int
    saved_by: str
    saved_at: str


Secret = Annotated[bool, Field(description="Whether its values are encrypted where they are stored")]
Values = Annotated[
    dict[str, Any] | None, Field(description="Null where they are secret and the caller is no administrator")
]


class StoredConfiguration(ConfigurationVersion):
    """A version with its values."""

    secret: Secret = False
    values: Values


class ConfigurationView(BaseModel):
    """A version with its values; nobody wrote version 0, which is built in."""

    name: str
    version: int
    saved_by: str | None
    saved_at: str | None
    secret: Secret = False
    values: Values


class ParameterView(BaseModel):
    """A parameter of a configuration."""

    configuration: str
    key: str = Field(description="The whole path", examples=["defaults.spread"])
    value: Any
    source: Literal["default", "configuration"] = Field(description="Built in, or of `version`")
    version: int
    overridden_by: Literal["request"] | None = Field(description="Whose value wins over this one")


class ConfigurationList(BaseModel):
    data: list[ConfigurationVersion]


class ConfigurationHistory(BaseModel):
    """The latest comes first."""

    data: list[StoredConfiguration]
