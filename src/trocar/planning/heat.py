"""Applicators of heat for a lesion: which, how many, where and how strong, by a simulation of every candidate.

Settings of a console are tried from its ladder by halving: the gentlest that reaches what the intent asks for, else
the strongest that harms nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from trocar.model.forecast import AfterEmbolization, HeatPredictor
from trocar.model.space import Array, Segment
from trocar.model.treatment import Placement, Rejection, Step, Technique, Text
from trocar.planning.array import Admission
from trocar.planning.coverage import Ablation
from trocar.planning.heaters import Heater, heaters
from trocar.planning.heatnotes import checks, compared, device_text, notes
from trocar.planning.heatpaths import Choice, Ways, groups, singles, ways
from trocar.planning.hotoutlook import HotForesight, HotOutlook
from trocar.planning.outlook import SEARCH_SPACING_MM, VERIFY_SPACING_MM, Aim
from trocar.planning.refine import GAIN_FOR_ONE_MORE_FRAC
from trocar.planning.surroundings import Surroundings
from trocar.planning.warming import heating_step

SINGLES_TRIED = 5
GROUPS_TRIED = 2
MOST_APPLICATORS = 3
VERIFICATIONS = 4
WAY_IN_MM = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Setup:
    """Applicators of one kind at one setting of their ladder; `paths` go from skin to tip."""

    heater: Heater
    paths: tuple[Segment, ...]
    score_mm: float
    rung: int = 0

    def step(self, lesion: str) -> Step:
        """As a heating step, without checks."""
        return heating_step(lesion, self.heater.technique, self.heater.tool, self.paths, self.heater.rungs[self.rung])


@dataclass(frozen=True, slots=True, eq=False)
class Tried:
    """A setup with its prediction."""

    setup: Setup
    outlook: HotOutlook
    intent: str

    @property
    def rank(self) -> tuple[bool, bool, float, int, int, int]:
        """The larger the better: enough, then harmless. What is enough by fewness, the way in and gentleness.

        The way in counts in steps of 2 mm, so that a setting as good as another decides.
        """
        enough, setup = self.outlook.sufficient(self.intent), self.setup
        worth = 0.0 if enough else round(self.outlook.worth(self.intent), 3)
        way = -round(setup.score_mm / WAY_IN_MM)
        return enough, self.outlook.admissible, worth, -len(setup.paths), way, -setup.rung


@dataclass(eq=False)
class Oven:
    """Asks for predictions and remembers them."""

    foresight: HotForesight
    intent: str
    asked: int = 0
    _known: dict[tuple[str, tuple[Segment, ...], int, float], Tried] = field(default_factory=dict)

    def see(self, setups: Sequence[Setup]) -> list[Tried]:
        """Each setup predicted on the lattice of the search."""
        return [self._one(setup, SEARCH_SPACING_MM) for setup in setups]

    def _one(self, setup: Setup, spacing_mm: float) -> Tried:
        key = (setup.heater.tool.device, setup.paths, setup.rung, spacing_mm)
        if key not in self._known:
            step = setup.step(self.foresight.around.lesion.name)
            (outlook,) = self.foresight.outlooks([step], spacing_mm=spacing_mm)
            self.asked += 1
            self._known[key] = Tried(setup, outlook, self.intent)
        return self._known[key]

    def set_well(self, setup: Setup) -> Tried:
        """The best setting of its ladder, found by halving: coverage and heat rise with each rung."""
        low, high = 0, len(setup.heater.rungs) - 1
        seen: list[Tried] = []
        while low <= high:
            middle = (low + high) // 2
            tried = self._one(replace(setup, rung=middle), SEARCH_SPACING_MM)
            seen.append(tried)
            if tried.outlook.admissible and not tried.outlook.sufficient(self.intent):
                low = middle + 1
            else:
                high = middle - 1
        return max(seen, key=lambda each: each.rank)

    def verified(self, best: Tried) -> Tried:
        """The same on a finer lattice, a rung up or down from there while that is better."""
        rungs = len(best.setup.heater.rungs)
        here = self._one(best.setup, VERIFY_SPACING_MM)
        for _ in range(VERIFICATIONS):
            if here.outlook.sufficient(self.intent) or rungs == 1:
                break
            towards = 1 if here.outlook.admissible else -1
            rung = here.setup.rung + towards
            if not 0 <= rung < rungs:
                break
            other = self._one(replace(here.setup, rung=rung), VERIFY_SPACING_MM)
            if other.rank <= here.rank:
                break
            here = other
        return here


def warm(
    around: Surroundings,
    up: Array,
    technique: Technique,
    *,
    intent: str,
    predictor: HeatPredictor | None,
    embolized: AfterEmbolization,
    inside: tuple[Placement, ...] = (),
) -> Ablation:
    """The step of the chosen applicators with its checks, what was compared, and what is left uncovered.

    Without a predictor the placement whose heat has least far to reach, at the gentlest setting, and its effect
    UNKNOWN. `inside` is what the body holds already.
    """
    suited, left_out = heaters(around, technique)
    known: dict[str, tuple[Heater, Admission, Ways]] = {}
    for heater in suited:
        admit = Admission(around, heater.tool, up, inside=inside)
        known[heater.tool.device] = heater, admit, ways(admit, heater)
    refused = tuple(item for _, _, found in known.values() for item in found.refused)
    starts = {name: singles(admit, heater, found, SINGLES_TRIED) for name, (heater, admit, found) in known.items()}
    if not any(starts.values()):
        return Ablation(None, refused, left_out)
    if predictor is None:
        name = next(name for name, paths in starts.items() if paths)
        setup = Setup(known[name][0], *starts[name][0])
        return _ablation(around, setup, None, intent, refused, left_out)
    screws = tuple(item for item in inside if item.role == "screw")
    oven = Oven(HotForesight(Aim.of(around, intent), predictor, embolized, screws), intent)
    tried = [best for name, (heater, admit, found) in known.items()
             if (best := _of_one_kind(oven, heater, admit, found, starts[name])) is not None]  # fmt: skip
    best = oven.verified(max(tried, key=lambda each: each.rank))
    texts = (*left_out, *compared(tried, best, oven.asked))
    return _ablation(around, best.setup, best.outlook, intent, refused, texts)


def _of_one_kind(oven: Oven, heater: Heater, admit: Admission, found: Ways, starts: list[Choice]) -> Tried | None:
    """The best of one kind of applicator: one of it, then more of it while that brings enough."""
    if not starts:
        return None
    best = _placed(oven, heater, starts)
    for number in range(2, MOST_APPLICATORS + 1):
        if best.outlook.sufficient(oven.intent):
            break
        together = groups(admit, heater, found, number, GROUPS_TRIED)
        if not together:
            break
        more = _placed(oven, heater, together)
        gained = more.outlook.worth(oven.intent) - best.outlook.worth(oven.intent)
        if not more.outlook.sufficient(oven.intent) and gained < GAIN_FOR_ONE_MORE_FRAC:
            break
        best = more
    return best


def _placed(oven: Oven, heater: Heater, placements: list[Choice]) -> Tried:
    """The best placement at the setting that suits the first, then the setting that suits the best."""
    first = oven.set_well(Setup(heater, *placements[0]))
    others = oven.see([Setup(heater, *each, rung=first.setup.rung) for each in placements[1:]])
    best = max([first, *others], key=lambda each: each.rank)
    return best if best is first else max([best, oven.set_well(best.setup)], key=lambda each: each.rank)


def _ablation(
    around: Surroundings,
    setup: Setup,
    seen: HotOutlook | None,
    intent: str,
    refused: tuple[Rejection, ...],
    texts: tuple[Text, ...],
) -> Ablation:
    step = setup.step(around.lesion.name)
    rung = setup.heater.rungs[setup.rung]
    made = replace(
        step, checks=checks(around, step, rung, seen, intent), notes=(device_text(step, rung), *notes(around, seen))
    )
    return Ablation(made, refused, texts)
