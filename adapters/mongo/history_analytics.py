"""Aggregation pipelines of history: what the server computes, so that chains need not travel."""

from __future__ import annotations

from typing import Any, TypeAlias

Stage: TypeAlias = dict[str, Any]


def volatility_points(*, wing: float) -> list[Stage]:
    """For each day and expiration of chains, the volatility at the money and at both wings.

    Args:
        wing: Distance of the wings from the underlying's price, as a part of it.
    """
    return [
        {
            "$project": {
                "key": 1,
                "underlying_price": 1,
                "contract": {
                    "$zip": {
                        "inputs": ["$strikes", _column("call"), _column("put")],
                        "useLongestLength": True,
                    }
                },
            }
        },
        {"$unwind": "$contract"},
        {
            "$project": {
                "key": 1,
                "moneyness": {"$divide": [{"$arrayElemAt": ["$contract", 0]}, "$underlying_price"]},
                "call": _positive({"$arrayElemAt": ["$contract", 1]}),
                "put": _positive({"$arrayElemAt": ["$contract", 2]}),
            }
        },
        {
            "$group": {
                "_id": {"date": "$key.date", "expiration": "$key.expiration"},
                "atm": _nearest(1.0, {"$avg": ["$call", "$put"]}),
                "put": _nearest(1.0 - wing, "$put"),
                "call": _nearest(1.0 + wing, "$call"),
            }
        },
        {"$sort": {"_id.date": 1, "_id.expiration": 1}},
    ]


def realised_volatility(within: Stage, *, periods_per_year: float, is_part_of_a_day: bool) -> list[Stage]:
    """The annualised deviation of the daily log returns of prices.

    Args:
        within: Bounds of the instants of the bars.
        periods_per_year: Trading days in a year.
        is_part_of_a_day: Whether a document is within one day: then its last bar says all.
    """
    columns: list[Any] = ["$seconds", "$close"]
    if is_part_of_a_day:
        columns = [{"$slice": [column, -1]} for column in columns]
    return [
        {
            "$project": {
                "time": 1,
                "bar": {"$zip": {"inputs": columns}},
            }
        },
        {"$unwind": "$bar"},
        {
            "$project": {
                "time": {"$add": ["$time", {"$multiply": [{"$arrayElemAt": ["$bar", 0]}, 1000]}]},
                "close": {"$arrayElemAt": ["$bar", 1]},
            }
        },
        {"$match": {"time": within}},
        {
            "$group": {
                "_id": {"$dateTrunc": {"date": "$time", "unit": "day"}},
                # Of documents, the greater one has the later time: they are compared field by field.
                "last": {"$max": {"time": "$time", "close": "$close"}},
            }
        },
        {
            "$setWindowFields": {
                "sortBy": {"_id": 1},
                "output": {"previous": {"$shift": {"output": "$last.close", "by": -1}}},
            }
        },
        # Of prices below zero there is no logarithm, and no such return.
        {"$match": {"previous": {"$gt": 0}, "last.close": {"$gt": 0}}},
        {"$project": {"return": {"$ln": {"$divide": ["$last.close", "$previous"]}}}},
        {"$group": {"_id": None, "deviation": {"$stdDevSamp": "$return"}, "returns": {"$sum": 1}}},
        {
            "$project": {
                "_id": 0,
                "returns": 1,
                "volatility": {"$multiply": ["$deviation", {"$sqrt": periods_per_year}]},
            }
        },
    ]


def chain_days(condition: Stage) -> list[Stage]:
    """For each asset of the heads of chains, the first and the last day and how many there are."""
    dates = {"first": {"$min": "$date"}, "last": {"$max": "$date"}, "count": {"$sum": 1}}
    return [{"$match": condition}, {"$group": {"_id": "$asset", **dates}}]


def price_days(condition: Stage) -> list[Stage]:
    """For each asset and time frame of the heads of prices, the first and the last day."""
    series = {"asset": "$asset", "timeframe": "$timeframe"}
    dates = {"first": {"$min": "$first"}, "last": {"$max": "$last"}}
    return [{"$match": condition}, {"$group": {"_id": series, **dates}}]


def _column(side: str) -> Stage:
    return {"$ifNull": [f"${side}.implied_volatility", []]}


def _positive(value: Any) -> Stage:
    """The value, or null where it is absent, not a number or zero."""
    return {"$cond": [{"$gt": [value, 0]}, value, None]}


def _nearest(moneyness: float, volatility: Any) -> Stage:
    """The volatility of the contract that is nearest; those without one come last."""
    distance = {"$abs": {"$subtract": ["$moneyness", moneyness]}}
    has_none = {"$eq": [{"$ifNull": [volatility, None]}, None]}
    return {"$min": {"has_none": has_none, "distance": distance, "volatility": volatility}}
