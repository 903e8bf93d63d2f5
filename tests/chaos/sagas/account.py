"""What is wrong with what a campaign has left: nothing, if all is as it should be."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping

import msgspec

from sagacity.saga.state import SagaState

from .evidence import Evidence
from .role import Setup, saga_id, trace_of
from .shop import JAMMED, PARTICIPANTS, PURCHASE, STEPS, Plan, purchase

__all__ = ["Account", "account", "not_at_once", "parked_wrongly", "plans"]

_SHOWN = 8
_TURNED_AT_LEAST, _TURNED_SHARE = 5, 0.01


class Account(msgspec.Struct):
    """How many sagas are wrong, by kind; with some of each told of. `turned` counts sagas that were compensated though they
    were not meant to fail, which an outage may bring about: of some, and of more than that something else is wrong."""

    stuck: int = 0
    lost: int = 0
    doubled: int = 0
    other: int = 0
    turned: int = 0
    told: list[str] = []

    @property
    def fine(self) -> bool:
        return not (self.stuck or self.lost or self.doubled or self.other)


def plans(setup: Setup) -> dict[str, Plan]:
    """What each saga was to suffer."""
    return {saga_id(at): purchase(setup.seed, at, setup.sagas).plan for at in range(setup.sagas + setup.fresh)}


def parked_wrongly(sagas: Mapping[str, SagaState], plans: Mapping[str, Plan]) -> list[str]:
    """Before anything is mended: those are to be parked that are jammed, with that cause, and no others."""
    wrong = []
    for id, plan in plans.items():
        saga = sagas.get(id)
        status = None if saga is None else saga.status
        if not plan.jam and status == "parked":
            wrong.append(f"{id} is parked: {saga}")
        if plan.jam and saga is not None and (status != "parked" or saga.steps["reserve"].cause != JAMMED):
            wrong.append(f"{id} is {status}, and not parked because {JAMMED}: {saga.steps['reserve']}")
    return wrong


def account(found: Evidence, setup: Setup) -> Account:
    """Each saga, in what it says of itself and in what stands in the participants' databases."""
    done: defaultdict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    for name in PARTICIPANTS:
        for row in found.log[name]:
            done[row["saga"]][row["step"], row["action"]] += 1
    result = Account()
    all_plans = plans(setup)
    for number, (id, plan) in enumerate(all_plans.items()):
        _saga(result, id, found.sagas.get(id), plan, done[id])
        if found.traces.get(id) != {trace_of(number)}:
            _tell(result, "other", f"{id}: its messages are of the traces {found.traces.get(id)}")
    for kind, strange in (("saga", found.sagas.keys() - all_plans.keys()), ("effects", done.keys() - all_plans.keys())):
        for id in strange:
            _tell(result, "other", f"{id}: a {kind} that nobody asked for")
    for letter in found.dead:
        _tell(result, "other", f"a dead letter of {letter}")
    for name, many in found.waiting.items():
        if many:
            _tell(result, "stuck", f"{many} messages wait in the outbox of {name}")
    bound = _TURNED_AT_LEAST + setup.sagas * _TURNED_SHARE
    if result.turned > bound:
        _tell(result, "other", f"{result.turned} were turned back by outages, and more than {bound:.0f} is too many")
    return result


def not_at_once(sagas: Mapping[str, SagaState], setup: Setup) -> list[str]:
    """Those that were started when nothing was killed any more: each is to complete before any answer could time out."""
    wrong = []
    for id in map(saga_id, range(setup.sagas, setup.sagas + setup.fresh)):
        saga = sagas.get(id)
        if saga is None or saga.status != "completed":
            wrong.append(f"{id}, started in the calm, is {saga}")
        elif saga.changed - saga.started >= setup.timeout * 1_000_000:
            wrong.append(f"{id}, started in the calm, took {(saga.changed - saga.started) / 1e6:.1f} s")
    return wrong


def _saga(result: Account, id: str, saga: SagaState | None, plan: Plan, done: Counter[tuple[str, str]]) -> None:
    if saga is None or saga.status not in ("completed", "compensated"):
        _tell(result, "stuck", f"{id} is {saga}")
        return
    if saga.status == "completed" and plan.refuse:
        _tell(result, "other", f"{id} is completed though {plan.refuse} refuses")
    result.turned += saga.status == "compensated" and plan.refuse is None
    for step in STEPS:
        did, undid = done[step, "do"], done[step, "undo"]
        if did > 1 or undid > 1:
            _tell(result, "doubled", f"{id}: {step} was done {did} times and undone {undid} times")
            continue
        net, wanted = did - undid, int(saga.status == "completed")
        if net > wanted and saga.status == "compensated" and PURCHASE.by_name[step].compensation:
            _tell(result, "lost", f"{id} is compensated, and {step} stands")
        elif net != wanted:
            _tell(result, "other", f"{id} is {saga.status}, and {step} stands {net} times")


def _tell(result: Account, kind: str, what: str) -> None:
    setattr(result, kind, getattr(result, kind) + 1)
    if len(result.told) < _SHOWN:
        result.told.append(what)
