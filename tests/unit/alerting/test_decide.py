from __future__ import annotations

from typing import Any

import pytest

from watcher.alerting import decide
from watcher.alerting.decide import Decision
from watcher.model import AlertState, Reason

NOW = 1_700_000_000.0
DAY = 86400.0


def decided(**facts: Any) -> Decision:
    usual: dict[str, Any] = {
        "published": NOW - 60,
        "oldest": NOW - 2 * DAY,
        "baseline": False,
        "first_poll": "digest",
        "outlets": 1,
        "min_outlets": 1,
    }
    return decide.alert(**{**usual, **facts})


@pytest.mark.parametrize(
    ("facts", "state", "reason", "kind"),
    [
        ({}, AlertState.WAITING, Reason.FIRST_SIGHT, "alert"),
        ({"published": None}, AlertState.WAITING, Reason.FIRST_SIGHT, "alert"),
        ({"published": NOW + DAY}, AlertState.WAITING, Reason.FIRST_SIGHT, "alert"),
        ({"published": NOW - 3 * DAY}, AlertState.DROPPED, Reason.TOO_OLD, "alert"),
        ({"baseline": True}, AlertState.WAITING, Reason.BASELINE, "baseline"),
        ({"baseline": True, "published": None}, AlertState.DROPPED, Reason.UNDATED_BASELINE, "baseline"),
        ({"baseline": True, "published": NOW - 3 * DAY}, AlertState.DROPPED, Reason.TOO_OLD, "alert"),
        ({"baseline": True, "first_poll": "silent"}, AlertState.DROPPED, Reason.SILENT_BASELINE, "baseline"),
        ({"baseline": True, "first_poll": "alert"}, AlertState.WAITING, Reason.BASELINE, "alert"),
        (
            {"baseline": True, "first_poll": "alert", "published": None},
            AlertState.DROPPED,
            Reason.UNDATED_BASELINE,
            "baseline",
        ),
        ({"first_poll": "silent"}, AlertState.WAITING, Reason.FIRST_SIGHT, "alert"),
        ({"min_outlets": 3, "outlets": 2}, AlertState.HELD, Reason.FEW_OUTLETS, "alert"),
        ({"min_outlets": 3, "outlets": 3}, AlertState.WAITING, Reason.FIRST_SIGHT, "alert"),
        ({"min_outlets": 3, "outlets": 1, "baseline": True}, AlertState.HELD, Reason.FEW_OUTLETS, "baseline"),
        ({"min_outlets": 3, "published": NOW - 3 * DAY}, AlertState.DROPPED, Reason.TOO_OLD, "alert"),
    ],
)
def test_decision(facts: dict[str, Any], state: AlertState, reason: Reason, kind: str) -> None:
    decision = decided(**facts)
    assert (decision.state, decision.reason) == (state, reason)
    if state is not AlertState.DROPPED:
        assert decision.kind == kind
