"""Whether a rule fires far over its own history. Pure."""

from __future__ import annotations

from dataclasses import dataclass

HISTORY = 7 * 86400.0  # seconds
WINDOW = 3600.0
LEAST = 20  # alerts in the window; fewer are no noise, whatever the history
TIMES = 5.0  # over the usual rate


@dataclass(frozen=True, slots=True)
class Rate:
    """Alerts of a rule: in the last WINDOW, in the HISTORY before it, and for how many seconds it has had alerts."""

    latest: int
    before: int
    known_for: float


def remark_on(rule: str, rate: Rate) -> str:
    """What is said of a rule that fires far over its own history; "" where it does not.

    A rule without a history is measured as if its first alert had been a day ago.
    """
    hours = max(min(rate.known_for, HISTORY), 86400.0) / WINDOW
    usual = rate.before / hours
    if rate.latest < LEAST or rate.latest < TIMES * usual:
        return ""
    often = f"usually {usual:.1f}" if usual >= 0.1 else "usually hardly any"
    return f"Rule {rule} is noisy: {rate.latest} alerts in an hour, {often}. To tune it: watcher backtest {rule}"
