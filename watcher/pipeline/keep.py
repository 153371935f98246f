"""KEEP: write down what polls found, many at once: most of what a transaction costs is the same for one and for ten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from watcher import log
from watcher.errors import LeaseLost, StoreError
from watcher.model import Item
from watcher.pipeline.judge import Judged, record_new
from watcher.pipeline.services import Counts, Services
from watcher.pipeline.subscribe import hubs
from watcher.pipeline.update import Renewed, at_known_addresses, keep_renewed
from watcher.store import Polled, Tx
from watcher.store.statements import lease_lost

T = TypeVar("T")

BATCH = 100  # items of one poll that are kept in one transaction

logger = log.get("keep")


@dataclass(frozen=True, slots=True)
class Finding:
    """What a poll that brought a new body found, and what is to be written down of it."""

    polled: Polled
    baseline: bool
    listed: Sequence[str]  # ids of which it is to be noted that the source lists them
    waiting: Sequence[Item]  # new ones whose article is to be read first
    judged: Sequence[Judged]  # the other new ones
    renewed: Sequence[Renewed]  # known ones that say something else now
    remark: str  # for the day's note

    @property
    def size(self) -> int:
        """How long it takes to write, where a new item takes 1: one that changed is written by itself."""
        return 1 + len(self.judged) + 3 * len(self.renewed) + len(self.waiting) // 4


async def keep(services: Services, finding: Finding) -> Counts:
    """Write down what a poll found, and end its claim; what came of it. Raises LeaseLost, and StoreError.

    A long list is kept in several transactions, so that others come in between; the last one ends the claim.
    """
    counts = Counts()
    *early, judged = _batches(finding.judged)
    renewed, *more = _batches(finding.renewed)
    parts = [replace(finding, judged=each, renewed=()) for each in early]
    parts += [replace(finding, judged=(), renewed=each) for each in more]
    for part in parts:
        counts += await services.store.write(partial(_keep_early, services, part), ingest=True)
    last = replace(finding, judged=judged, renewed=renewed)
    return counts + await services.findings.ask(last, partial(_together, services), services.store.gather)


def _batches(all_: Sequence[T]) -> list[Sequence[T]]:
    return [all_[at : at + BATCH] for at in range(0, max(len(all_), 1), BATCH)]


async def _keep_early(services: Services, finding: Finding, tx: Tx) -> Counts:
    await tx.claims.check(finding.polled.claim)
    counts = await keep_renewed(tx, services, finding.renewed, tx.now)
    return counts + Counts.total(await keep_judged(tx, services, [finding.judged]))


async def _together(services: Services, findings: Sequence[Finding]) -> Sequence[Counts | Exception]:
    """Write down the findings of many polls at once, or each by itself where one of them cannot be."""
    try:
        news = any(finding.judged or finding.renewed for finding in findings)
        return await services.store.write(partial(_write, services, findings), ingest=news)
    except Exception as error:
        if len(findings) == 1:
            return [error]
        logger.warning("not written together, so each by itself", polls=len(findings), error=repr(error))
    came: list[Counts | Exception] = []
    for finding in findings:
        failed = [one for one in came if isinstance(one, StoreError) and not isinstance(one, LeaseLost)]
        # One may be what the store does not take; where there are two, it is the store.
        came += [failed[-1]] if len(failed) > 1 else await _together(services, [finding])
    return came


async def _write(services: Services, findings: Sequence[Finding], tx: Tx) -> list[Counts | Exception]:
    held = await tx.sources.polled([finding.polled for finding in findings])
    ours = [finding for finding, is_ours in zip(findings, held, strict=True) if is_ours]
    others = [await _keep_others(tx, services, finding) for finding in ours]
    judged = await keep_judged(tx, services, [finding.judged for finding in ours])
    came = iter([one + other for one, other in zip(judged, others, strict=True)])
    return [
        next(came) if is_ours else lease_lost(finding.polled.claim)
        for finding, is_ours in zip(findings, held, strict=True)
    ]


async def _keep_others(tx: Tx, services: Services, finding: Finding) -> Counts:
    """What is to be written of a poll but its judged items; most have none of it."""
    now, polled = tx.now, finding.polled
    await tx.items.listed(finding.listed, now)
    await hubs(tx, services, polled)
    counts = await keep_renewed(tx, services, finding.renewed, now)
    added = await tx.items.add(finding.waiting, now=now, baseline=finding.baseline, read_at=now)
    if finding.remark:
        await tx.health.note(f"source:{polled.claim.id}", finding.remark, now)
    return counts + Counts(polled=1, new_items=len(added))


async def keep_judged(tx: Tx, services: Services, polls: Sequence[Sequence[Judged]]) -> list[Counts]:
    """Keep the judged items of each of `polls`, and what follows from those that are really new; what came of each."""
    together = [one for judged in polls for one in judged]
    together.sort(key=lambda one: one.baseline)  # what is news is told as news, though a first look has it too
    recorded = await record_new(tx, services, together, tx.now)
    counts = []
    for judged in polls:
        came = Counts.total(recorded[id_] for id_ in {one.item.id for one in judged} if id_ in recorded)
        if judged and not judged[0].baseline:
            came += await at_known_addresses(tx, services, judged[0].source, judged, tx.now)
        counts.append(came)
    return counts
