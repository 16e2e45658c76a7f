"""A session on the clock: the sequence, its durations, its resources and the cement's clock solved into a schedule.

Steps are placed in the order of the sequence, each as early as the steps before it and its resources allow, once with
the low, the typical and the high durations. A longer duration therefore never makes any step earlier.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from trocar.catalog import device
from trocar.catalog.timing import controls
from trocar.errors import CatalogError
from trocar.model.device import Cement
from trocar.model.schedule import SIMULATED, CementBatch, ControlPoint, PositionChange, Schedule, TimedStep
from trocar.model.treatment import Duration, Plan, Proposal, SequenceStep
from trocar.proposal.cementclock import setting_time_s, working_times_s
from trocar.proposal.schedulechecks import budget_checks, clock_check, cold_checks, order_checks
from trocar.proposal.steptimes import S_PER_MIN, StepTime, StepTimes

GENERIC_CEMENT = "cement-pmma-generic"
BODY_degC = 37.0
SOFT = ("CEMENT_INJECT", "K_WIRE", "TROCAR_REMOVE", "SCREW")  # what needs soft cement, once it is mixed
SUPINE = ("CHECKLIST_IN", "ANAESTH", "IONM_SETUP", "ANGIO", "EMBOLISE", "ACCESS_CLOSE")
AFTERWARDS = ("RECOVERY", "FOLLOWUP")
CASES = ("low", "typical", "high")


def schedule(
    proposal: Proposal,
    plan: Plan | None = None,
    *,
    room_degC: float | None = None,
    tissue_degC: float | None = None,
    cavity_degC: float | None = None,
    simulated_set_min: Mapping[str, float] | None = None,
    budget_min: float | None = None,
) -> Schedule:
    """The session of a proposal in time; a plan tells its probes, protocol, volumes, position and cement.

    `room_degC` is where the cement is mixed (that of its table when not given), `tissue_degC` where it
    sets: unknown after ice unless given, body temperature without. `cavity_degC` is the cavity's temperature when the
    cement arrives, `tissue_degC` at first: it warms afterwards. `simulated_set_min` holds minutes from an
    injection, by its step, until its cement has set; it stands in where the tissue's temperature is not known, as a
    prior of the model. Raises `CatalogError` for an unknown device.
    """
    times = StepTimes(proposal, plan)
    cement = _cement(plan)
    frozen = any(item.technique == "cryoablation" for item in proposal.sequence)
    tissue = tissue_degC if tissue_degC is not None or frozen else BODY_degC
    room = cement.room_degC if room_degC is None else room_degC
    mixes = _mixes(proposal, times, cement, room)
    injections = frozenset(item.id for item in proposal.sequence if item.step == "CEMENT_INJECT")
    clock = _Clock(
        proposal,
        {item.id: times.of(item) for item in proposal.sequence},
        mixes,
        _liquid_min(cement, room),
        _Setting(setting_time_s(cement, tissue), simulated_set_min or {}, injections),
    )
    placed = clock.placed()
    position = _position(plan)
    timed = tuple(_timed(item, clock, placed, mixes, position) for item in proposal.sequence if item.id in placed)
    batches = tuple(_batch(mix, clock, placed, cement, room, tissue) for mix in mixes)
    total = _latest([step.end_min for step in timed if step.step not in AFTERWARDS])
    return Schedule(
        lesion=proposal.lesion,
        sequence_variant=proposal.variant,
        steps=timed,
        batches=batches,
        position_changes=tuple(_position_changes(timed)),
        controls=tuple(sorted(_controls(times, timed), key=lambda point: (point.at_min.typical, point.id))),
        yielded=proposal.yielded,
        total_min=total,
        ruleset=proposal.ruleset,
        checks=(
            *(clock_check(batch) for batch in batches),
            *cold_checks(bool(batches) and frozen, tissue if cavity_degC is None else cavity_degC),
            *order_checks(proposal, plan),
            *budget_checks(budget_min, total),
        ),
    )


@dataclass(frozen=True, slots=True)
class _Mix:
    """One mix, the steps that need it soft, and the mixes that it makes unnecessary."""

    id: str
    steps: tuple[str, ...]
    replaces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Setting:
    """When a mix has set: from its start by the cement's table, else from the end of its injections as simulated."""

    table_s: float | None
    simulated_min: Mapping[str, float]
    injections: frozenset[str]

    def after_s(self, mix: _Mix, mixed_min: float, end_min: Callable[[str], float]) -> float | None:
        """Seconds from the start of mixing; None where nobody knows of one of its injections."""
        injected = [step for step in mix.steps if step in self.injections]
        if self.table_s is not None or not all(step in self.simulated_min for step in injected):
            return self.table_s
        sets_min = (end_min(step) + self.simulated_min[step] - mixed_min for step in injected)
        return max((minutes * S_PER_MIN for minutes in sets_min), default=None)


@dataclass(slots=True)
class _Clock:
    """Places every step in time for the low, typical and high durations."""

    proposal: Proposal
    times: dict[str, StepTime]
    mixes: tuple[_Mix, ...]
    liquid_min: float
    setting: _Setting
    needed: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.needed = {step: mix.id for mix in self.mixes for step in mix.steps}

    def placed(self) -> dict[str, tuple[Duration, Duration]]:
        """Start and end of every step but the mixes that are not needed."""
        runs = {case: self._run(case) for case in CASES}
        return {
            step: (
                Duration(**{case: runs[case][step][0] for case in CASES}),
                Duration(**{case: runs[case][step][1] for case in CASES}),
            )
            for step in runs["typical"]
        }

    def _run(self, case: str) -> dict[str, tuple[float, float]]:
        free: dict[str, float] = {}
        spent: dict[str, tuple[float, float]] = {}
        dropped = {name for mix in self.mixes for name in mix.replaces}
        waits = {
            self.needed[item.id]: self.times[item.id].wait_min
            for item in self.proposal.sequence
            if item.step == "CEMENT_INJECT" and item.id in self.needed
        }
        parents = {item.id: item.after for item in self.proposal.sequence}
        for item in self.proposal.sequence:
            if item.id in dropped:
                continue
            time = self.times[item.id]
            before = _bridged(item.after, parents, dropped)
            ready = [spent[name][1] for name in before if name in spent]
            start = max([*ready, *(free.get(name, 0.0) for name in time.resources)], default=0.0)
            start += waits.get(item.id, 0.0)
            if item.step == "CEMENT_INJECT" and self.needed.get(item.id) in spent:
                start = max(start, spent[self.needed[item.id]][0] + self.liquid_min)
            end = start + getattr(time.duration, case)
            if item.step == "CEMENT_SET":
                end = max(end, self._all_set_min(spent))
            spent[item.id] = (start, end)
            free.update(dict.fromkeys(time.resources, end))
        return spent

    def _all_set_min(self, spent: dict[str, tuple[float, float]]) -> float:
        """When every mix injected so far has set, as far as that is known; 0 where it is not."""
        found = [0.0]
        for mix in (mix for mix in self.mixes if mix.id in spent and all(step in spent for step in mix.steps)):
            mixed = spent[mix.id][0]
            after_s = self.setting.after_s(mix, mixed, lambda step: spent[step][1])
            found += [] if after_s is None else [mixed + after_s / S_PER_MIN]
        return max(found)


def _bridged(names: tuple[str, ...], parents: dict[str, tuple[str, ...]], dropped: set[str]) -> tuple[str, ...]:
    """The steps before one, through those that are dropped."""
    found: list[str] = []
    for name in names:
        found += _bridged(parents[name], parents, dropped) if name in dropped else [name]
    return tuple(dict.fromkeys(found))


def _cement(plan: Plan | None) -> Cement:
    named = [] if plan is None else [p.device for s in plan.steps for p in s.placements if p.role == "cement"]
    found = device(named[0] if named else GENERIC_CEMENT)
    if not isinstance(found, Cement):
        raise CatalogError(f"{found.id!r} is placed as cement but is a {found.kind}")
    return found


def _liquid_min(cement: Cement, room_degC: float | None) -> float:
    liquid_s = None if room_degC is None else working_times_s(cement, room_degC)[0]
    return 0.0 if liquid_s is None else liquid_s / S_PER_MIN


def _mixes(proposal: Proposal, times: StepTimes, cement: Cement, room_degC: float | None) -> tuple[_Mix, ...]:
    """As many screws from one mix as its paste phase holds with the high durations; then a next mix."""
    found = [item for item in proposal.sequence if item.step == "CEMENT_MIX"]
    chains = [_chain(proposal, item) for item in found]
    liquid_s, paste_s = working_times_s(cement, room_degC) if room_degC is not None else (None, None)
    window_min = 0.0 if liquid_s is None or paste_s is None else (paste_s - liquid_s) / S_PER_MIN
    mixes: list[_Mix] = []
    for item, chain in zip(found, chains, strict=True):
        steps = (*mixes[-1].steps, *chain) if mixes else chain
        if mixes and sum(times.of(_item(proposal, name)).duration.high for name in steps) <= window_min:
            last = mixes.pop()
            mixes.append(_Mix(last.id, steps, (*last.replaces, item.id)))
        else:
            mixes.append(_Mix(item.id, chain))
    return tuple(mixes)


def _chain(proposal: Proposal, mix: SequenceStep) -> tuple[str, ...]:
    """The steps after a mix that need it soft: up to the next mix, those that follow from it."""
    order = [item.id for item in proposal.sequence]
    reached, chain = {mix.id}, []
    for item in proposal.sequence[order.index(mix.id) + 1 :]:
        if item.step == "CEMENT_MIX":
            break
        if item.step in SOFT and reached & set(item.after):
            reached.add(item.id)
            chain.append(item.id)
    return tuple(chain)


def _item(proposal: Proposal, step_id: str) -> SequenceStep:
    return next(item for item in proposal.sequence if item.id == step_id)


def _timed(
    item: SequenceStep,
    clock: _Clock,
    placed: dict[str, tuple[Duration, Duration]],
    mixes: tuple[_Mix, ...],
    position: str | None,
) -> TimedStep:
    start, end = placed[item.id]
    time = clock.times[item.id]
    mixed = {mix.id: mix.id for mix in mixes}
    return TimedStep(
        id=item.id,
        step=item.step,
        technique=item.technique,
        start_min=start,
        end_min=end,
        resources=time.resources,
        position="supine" if item.step in (*SUPINE, *AFTERWARDS) else position,
        batch=mixed.get(item.id, clock.needed.get(item.id, "")),
        edges=item.edges,
        source=time.source,
    )


def _batch(
    mix: _Mix,
    clock: _Clock,
    placed: dict[str, tuple[Duration, Duration]],
    cement: Cement,
    room_degC: float | None,
    tissue_degC: float | None,
) -> CementBatch:
    liquid_s, paste_s = (None, None) if room_degC is None else working_times_s(cement, room_degC)
    first = placed[mix.steps[0]][0] if mix.steps else placed[mix.id][1]
    last = placed[mix.steps[-1]][1] if mix.steps else placed[mix.id][1]
    took = Duration(**{case: (getattr(last, case) - getattr(first, case)) * S_PER_MIN for case in CASES})
    set_at_s = clock.setting.after_s(mix, placed[mix.id][0].typical, lambda step: placed[step][1].typical)
    told = cement.sources.get("set_at_s", "") if clock.setting.table_s is not None else SIMULATED
    return CementBatch(
        id=mix.id,
        device=cement.id,
        mixed_at_min=placed[mix.id][0],
        room_degC=room_degC,
        tissue_degC=tissue_degC,
        liquid_until_s=liquid_s,
        paste_until_s=paste_s,
        set_at_s=set_at_s,
        set_source="" if set_at_s is None else told,
        needed_s=took,
        window_s=None if paste_s is None or liquid_s is None else paste_s - liquid_s,
        steps=mix.steps,
        source=cement.sources.get("paste_until_s", ""),
    )


def _position(plan: Plan | None) -> str | None:
    placed = [] if plan is None else [step.position for step in plan.steps if step.action != "EMBOLISE"]
    return next((position for position in placed if position), None)


def _position_changes(timed: tuple[TimedStep, ...]) -> Iterator[PositionChange]:
    for earlier, later in pairwise(timed):
        if earlier.position != later.position:
            yield PositionChange(step=later.id, before=earlier.position, after=later.position, at_min=later.start_min)


def _controls(times: StepTimes, timed: tuple[TimedStep, ...]) -> Iterator[ControlPoint]:
    items = {item.id: item for item in times.proposal.sequence}
    for step in timed:
        for row in controls():
            if row.step != step.step or row.technique not in (None, step.technique):
                continue
            starts, thawed = times.freezes_min(items[step.id])
            into = [start + offset for start in starts for offset in row.offsets_min] if row.at == "freeze" else thawed
            if row.at in ("start", "end"):
                moments = [step.start_min if row.at == "start" else step.end_min]
            else:
                moments = [_later(step.start_min, minutes) for minutes in into]
            for moment in moments:
                yield ControlPoint(id=row.id, step=step.id, at_min=moment, text=row.text, source=row.source)


def _later(moment: Duration, minutes: float) -> Duration:
    return Duration(low=moment.low + minutes, typical=moment.typical + minutes, high=moment.high + minutes)


def _latest(moments: list[Duration]) -> Duration:
    return Duration(**{case: max((getattr(moment, case) for moment in moments), default=0.0) for case in CASES})
