"""Rolling expirations: rules, a schedule of them, and the plan that says which are alive."""

from optionchain.expirations.calendars import WEEKDAYS_V1, TradingCalendar, calendar_version, trading_calendar
from optionchain.expirations.listed import Weekday
from optionchain.expirations.local_time import load_zone, local_to_instant, tzdb_version
from optionchain.expirations.plan import Expiration, ExpirationPlan, days_to_expiration
from optionchain.expirations.rules import (
    DailyRule,
    MonthDayRule,
    MonthEndRule,
    MonthlyRule,
    Rule,
    WeeklyRule,
    YearlyRule,
    leaps,
    monthly_third_friday,
)
from optionchain.expirations.schedule import Schedule, ScheduleLimits
from optionchain.expirations.wire import schedule_from_wire, schedule_to_wire

__all__ = [
    "WEEKDAYS_V1",
    "DailyRule",
    "Expiration",
    "ExpirationPlan",
    "MonthDayRule",
    "MonthEndRule",
    "MonthlyRule",
    "Rule",
    "Schedule",
    "ScheduleLimits",
    "TradingCalendar",
    "Weekday",
    "WeeklyRule",
    "YearlyRule",
    "calendar_version",
    "days_to_expiration",
    "leaps",
    "load_zone",
    "local_to_instant",
    "monthly_third_friday",
    "schedule_from_wire",
    "schedule_to_wire",
    "trading_calendar",
    "tzdb_version",
]
