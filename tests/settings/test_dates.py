"""`expires`: what a date looks like, and the day on which it ends."""

import datetime as dt
from typing import Any

import pytest

from components.settings.clock import today
from tests.support import TODAY, changed, problems_of, setting, settings_of, told

_PATHS = ("destinations.edition-cnn.expires", "backends.n9e.expires")
_FORM = 'in quotes, for example "2027-06-30"'
_DAY = dt.timedelta(days=1)


@pytest.mark.parametrize("path", _PATHS)
@pytest.mark.parametrize(
    ("value", "wrong", "instead"),
    [
        (
            dt.date(2029, 12, 31),
            '"2029-12-31" is not a date',
            'the year, month and day in quotes: "2027-06-30"',
        ),
        (20291231, "20291231 is not a date", 'the year, month and day in quotes: "2027-06-30"'),
        (None, "null is not a date", 'the year, month and day in quotes: "2027-06-30"'),
        ("2029-13-01", '"2029-13-01" is not in the calendar', 'for example "2027-06-30"'),
        ("2029-02-29", '"2029-02-29" is not in the calendar', 'for example "2027-06-30"'),
        ("soon", '"soon" is not a date in the form year-month-day', _FORM),
        ("", '"" is not a date in the form year-month-day', _FORM),
        ("31.12.2029", '"31.12.2029" is not a date in the form year-month-day', _FORM),
        ("20291231", '"20291231" is not a date in the form year-month-day', _FORM),
        ("2029-12-31T00:00:00Z", '"2029-12-31T00:00:00Z" is not a date in the form year-month-day', _FORM),
        ("2029-W52-1", '"2029-W52-1" is not a date in the form year-month-day', _FORM),
        (
            "2026-11-22",
            "expired on 2026-11-22 (today is 2026-11-23)",
            "have the ticket renewed and write the new date, or remove the entry",
        ),
    ],
)
def test_bad_dates_are_refused(path: str, value: Any, wrong: str, instead: str) -> None:
    """A date that readers take for something else, or that is over, kept a way open."""
    assert told(changed(setting(path, value))) == [(path, wrong, instead)]


@pytest.mark.parametrize("path", _PATHS)
def test_a_missing_date_is_refused(path: str) -> None:
    """An entry without an end stayed for ever."""
    section, name, _ = path.split(".")
    values = changed(lambda all_values: all_values[section][name].pop("expires"))
    ((where, wrong, instead),) = told(values)
    assert (where, wrong) == (path, "is missing")
    assert instead == 'add `expires:`: The last day on which it holds, in quotes: "2027-06-30".'


@pytest.mark.parametrize(("days_late", "problems"), [(-1, []), (0, []), (1, [_PATHS[0]])])
def test_the_last_day_still_holds(days_late: int, problems: list[str]) -> None:
    """An entry ended a day early or a day late."""
    ends = dt.date(2027, 6, 30)
    found = problems_of(changed(setting(_PATHS[0], ends.isoformat())), today=ends + days_late * _DAY)
    assert [problem.dotted_path for problem in found] == problems


def test_the_date_is_a_date() -> None:
    """Text was compared with text."""
    assert settings_of(changed(setting(_PATHS[0], "2027-06-30"))).destinations["edition-cnn"].expires == dt.date(
        2027, 6, 30
    )


def test_today_can_be_fixed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Examples and goldens rotted, because they were judged by the day on which they ran."""
    monkeypatch.setenv("EGRESS_TODAY", "2031-01-02")
    assert today() == dt.date(2031, 1, 2)


def test_today_is_the_day_in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two machines judged one date differently."""
    monkeypatch.delenv("EGRESS_TODAY")
    assert abs(today() - dt.datetime.now(dt.UTC).date()) <= _DAY


def test_a_nonsense_today_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt date was passed over, and expired entries with it."""
    monkeypatch.setenv("EGRESS_TODAY", "tomorrow")
    with pytest.raises(ValueError, match="tomorrow"):
        today()


def test_the_tests_today_is_the_one_that_everything_else_uses() -> None:
    """Settings were judged by one day here and by another in the preview."""
    assert today() == TODAY
