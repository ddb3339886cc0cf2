import json
from datetime import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optionchain.errors import InvalidInput
from optionchain.expirations import (
    DailyRule,
    MonthlyRule,
    ScheduleLimits,
    WeeklyRule,
    YearlyRule,
    schedule_from_wire,
    schedule_to_wire,
)

WIRE = {
    "timezone": "America/New_York",
    "calendar": "weekdays_v1",
    "expiration_time": "17:00:00",
    "schedules": [
        {
            "rule_id": "leaps",
            "kind": "yearly",
            "target_count": 2,
            "weekday": "Fri",
            "month": 12,
            "occurrence": -1,
        },
        {"rule_id": "monthlies", "kind": "monthly", "target_count": 12, "weekday": "Fri", "occurrence": -1},
        {"rule_id": "weeklies", "kind": "weekly", "target_count": 3, "weekdays": ["Mon", "Wed", "Fri"]},
        {"rule_id": "zero_dte", "kind": "daily", "target_count": 1},
    ],
}


def changed_rule(index, **changes):
    rules = [dict(rule) for rule in WIRE["schedules"]]
    rules[index] |= changes
    return WIRE | {"schedules": rules}


def without(mapping, name):
    return {key: value for key, value in mapping.items() if key != name}


def refused(wire, limits=None):
    with pytest.raises(InvalidInput) as error:
        schedule_from_wire(wire, limits)
    return error.value


def test_every_kind_of_rule_is_read():
    schedule = schedule_from_wire(WIRE)

    assert schedule.expiration_time == time(17)
    assert schedule.rules == (
        YearlyRule(rule_id="leaps", target_count=2, weekday="Fri", month=12, occurrence=-1),
        MonthlyRule(rule_id="monthlies", target_count=12, weekday="Fri", occurrence=-1),
        WeeklyRule(rule_id="weeklies", target_count=3, weekdays=("Mon", "Wed", "Fri")),
        DailyRule(rule_id="zero_dte", target_count=1),
    )


def test_what_is_written_is_what_was_read():
    written = schedule_to_wire(schedule_from_wire(WIRE))

    assert json.loads(json.dumps(written)) == WIRE


def test_a_change_of_weekday_is_written_as_it_was_read():
    wire = changed_rule(1, changed_on="2025-09-01", changed_to="Tue")

    assert schedule_to_wire(schedule_from_wire(wire)) == wire


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"changed_on": "2025-9-1", "changed_to": "Tue"}, "schedules[1].changed_on"),
        ({"changed_on": "2025-02-30", "changed_to": "Tue"}, "schedules[1].changed_on"),
        ({"changed_on": "2025-09-01", "changed_to": "Sun"}, "schedules[1].changed_to"),
    ],
)
def test_what_is_no_change_of_weekday_is_named(changes, field):
    assert refused(changed_rule(1, **changes)).field == field


def test_optional_values_may_be_absent_or_null():
    absent = without(WIRE | {"expiration_time": "17:00"}, "calendar")
    absent["schedules"] = [without(without(rule, "month"), "occurrence") for rule in WIRE["schedules"]]
    null = changed_rule(0, month=None, weekdays=None, occurrence=None) | {"calendar": None}

    assert schedule_from_wire(absent) == schedule_from_wire(null) == schedule_from_wire(WIRE)


@pytest.mark.parametrize(
    ("index", "changes", "field"),
    [
        (0, {"month": 13}, "schedules[0].month"),
        (1, {"target_count": 0}, "schedules[1].target_count"),
        (1, {"weekday": "Sat"}, "schedules[1].weekday"),
        (1, {"weekday": None}, "schedules[1].weekday"),
        (1, {"month": 3}, "schedules[1].month"),
        (2, {"weekdays": "Mon"}, "schedules[2].weekdays"),
        (2, {"weekdays": None}, "schedules[2].weekdays"),
        (3, {"weekdays": ["Mon"]}, "schedules[3].weekdays"),
        (3, {"kind": "hourly"}, "schedules[3].kind"),
        (3, {"kind": ["daily"]}, "schedules[3].kind"),
        (3, {"kind": None}, "schedules[3].kind"),
        (3, {"target_count": None}, "schedules[3].target_count"),
        (3, {"rule_id": None}, "schedules[3].rule_id"),
        (3, {"rule_id": "leaps"}, "schedules[3].rule_id"),
        (3, {"colour": None}, "schedules[3].colour"),
    ],
)
def test_the_error_names_the_place_of_a_bad_rule(index, changes, field):
    assert refused(changed_rule(index, **changes)).field == field


def test_the_place_is_the_callers_not_the_sorted_one():
    wire = WIRE | {"schedules": list(reversed(WIRE["schedules"]))}
    wire["schedules"][0] = wire["schedules"][0] | {"rule_id": "leaps"}

    assert refused(wire).field == "schedules[3].rule_id"


@pytest.mark.parametrize("name", ["timezone", "expiration_time", "schedules"])
def test_a_missing_field_is_named(name):
    assert refused(without(WIRE, name)).field == name
    assert refused(WIRE | {name: None}).field == name


def test_an_unknown_field_is_named():
    assert refused(WIRE | {"holidays": []}).field == "holidays"


@pytest.mark.parametrize(
    "text", ["", "5pm", "24:00", "17:60", "17:00:60", "17:00:00.5", "17", "17:0", "１７:00", 17]
)
def test_what_is_no_time_of_day_is_refused(text):
    assert refused(WIRE | {"expiration_time": text}).field == "expiration_time"


@pytest.mark.parametrize("rules", [{}, "daily", 3, [3], [[]], []])
def test_what_is_no_list_of_rules_is_refused(rules):
    assert refused(WIRE | {"schedules": rules}).field in {"schedules", "schedules[0]"}


def test_lower_limits_hold():
    assert refused(WIRE, ScheduleLimits(expirations_per_rule=11)).field == "schedules[1].target_count"
    assert refused(WIRE, ScheduleLimits(expirations=17)).field == "schedules"
    assert schedule_from_wire(WIRE, ScheduleLimits(rules=4, expirations=18)) == schedule_from_wire(WIRE)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["Mon", "daily"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def field_at_fault(wire):
    """The field that the error names, None without an error."""
    try:
        schedule_from_wire(wire)
    except InvalidInput as error:
        return error.field
    return None


# The first calendar of an exchange imports pandas, which no deadline should count.
fuzzed = settings(derandomize=True, deadline=None, max_examples=200)


@fuzzed
@given(name=st.sampled_from(sorted(WIRE)), value=json_values)
def test_any_value_of_a_field_is_read_or_refused(name, value):
    assert (field_at_fault(WIRE | {name: value}) or name).startswith(name)


@fuzzed
@given(
    index=st.integers(0, 3),
    name=st.sampled_from(["rule_id", "kind", "target_count", "weekday", "weekdays", "month"]),
    value=json_values,
)
def test_any_value_in_a_rule_is_read_or_refused(index, name, value):
    field = field_at_fault(changed_rule(index, **{name: value}))

    assert field is None or field.startswith(f"schedules[{index}].")
