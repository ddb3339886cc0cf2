import json
import pickle
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optionchain.errors import InvalidInput
from optionchain.time_frame import INTERVALS, TimeFrame
from tests.unit.models.model_laws import REPEATABLE

CUSTOM = st.floats(1e-3, 31_536_000_000_000).map(TimeFrame.custom)
ANY = st.one_of(st.sampled_from([TimeFrame(name) for name in INTERVALS]), CUSTOM)


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("Second", 1),
        ("Hour", 3600),
        ("Week", 604_800),
        ("Month", 2_592_000),
        ("Quarter", 7_776_000),
        ("Year", 31_536_000),
    ],
)
def test_named_intervals_are_exact(name, seconds):
    assert TimeFrame(name).interval == timedelta(seconds=seconds)


def test_a_custom_interval_is_a_part_of_a_365_day_year_to_the_microsecond():
    assert TimeFrame.custom(252).interval == timedelta(microseconds=round(31_536_000_000_000 / 252))


@REPEATABLE
@given(ANY)
def test_an_interval_is_at_least_a_microsecond(time_frame):
    assert time_frame.interval >= timedelta(microseconds=1)


@REPEATABLE
@given(ANY)
def test_json_and_pickle_keep_a_time_frame(time_frame):
    assert TimeFrame.from_wire(json.loads(json.dumps(time_frame.to_wire()))) == time_frame
    assert pickle.loads(pickle.dumps(time_frame)) == time_frame


@REPEATABLE
@given(ANY, ANY, st.floats(1e-6, 1e6))
def test_a_conversion_and_back_is_none(one, other, value):
    assert other.convert(one.convert(value, other), one) == pytest.approx(value, rel=1e-14)


def test_twelve_hours_are_half_a_day():
    assert TimeFrame.HOUR.convert(12, TimeFrame.DAY) == 0.5


@pytest.mark.parametrize(
    ("wire", "rendered"),
    [
        ("Microsecond", "microsecond"),
        ("Day", "day"),
        ({"Custom": 365}, "custom (365)"),
        ({"Custom": 0.5}, "custom (0.5)"),
        ({"Custom": 3.1536e13}, "custom (31536000000000)"),
    ],
)
def test_rendering_is_in_lower_case_and_can_be_read_again(wire, rendered):
    assert TimeFrame.from_wire(wire).rendered == rendered
    assert TimeFrame.from_wire(rendered) == TimeFrame.from_wire(wire)


@pytest.mark.parametrize(
    ("wire", "field"),
    [
        ("DAY", "time_frame"),
        ("custom (x)", "time_frame"),
        ("custom (0)", "time_frame.Custom"),
        ("Custom", "time_frame"),
        (None, "time_frame"),
        (7, "time_frame"),
        (["Day"], "time_frame"),
        ({}, "time_frame"),
        ({"Day": 1}, "time_frame"),
        ({"Custom": 1, "Day": 1}, "time_frame"),
        ({"Custom": None}, "time_frame.Custom"),
        ({"Custom": True}, "time_frame.Custom"),
        ({"Custom": 0}, "time_frame.Custom"),
        ({"Custom": -1.0}, "time_frame.Custom"),
        ({"Custom": float("nan")}, "time_frame.Custom"),
        ({"Custom": 10**400}, "time_frame.Custom"),
    ],
)
def test_what_is_no_time_frame_is_refused_by_name(wire, field):
    with pytest.raises(InvalidInput) as caught:
        TimeFrame.from_wire(wire)

    assert caught.value.field == field


def test_a_named_time_frame_has_no_custom_periods():
    with pytest.raises(InvalidInput, match="only Custom"):
        TimeFrame("Day", 365.0)


@pytest.mark.parametrize(
    ("arguments", "field"), [(("day",), "name"), ((["Day"],), "name"), (("Custom",), "custom_periods")]
)
def test_a_wrong_argument_is_refused_by_name(arguments, field):
    with pytest.raises(InvalidInput) as caught:
        TimeFrame(*arguments)

    assert caught.value.field == field


def test_conversions_agree_with_the_reference_vectors(golden):
    vectors = [v for v in golden.values() if v["inputs"]["fn"] == "convert_time_frame"]

    assert len(vectors) == 5
    for vector in vectors:
        inputs = vector["inputs"]
        converted = TimeFrame.from_wire(inputs["from_"]).convert(
            inputs["value"], TimeFrame.from_wire(inputs["to"])
        )
        assert converted == pytest.approx(vector["expected"], abs=vector["tolerance"])
