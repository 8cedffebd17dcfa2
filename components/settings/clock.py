"""Today's date: one injected value, so that goldens and examples do not rot."""

import datetime as dt
import os

TODAY_VARIABLE = "EGRESS_TODAY"


def today() -> dt.date:
    """The date against which `expires` is judged: `EGRESS_TODAY` (YYYY-MM-DD) if set, else the system's, in UTC.

    Raises:
        ValueError: `EGRESS_TODAY` is set to something that is not a date.
    """
    fixed = os.environ.get(TODAY_VARIABLE)
    return dt.datetime.now(dt.UTC).date() if fixed is None else dt.date.fromisoformat(fixed)
