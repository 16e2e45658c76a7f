"""Search over probes with a simulation of every candidate: move, turn down, drop, add; deterministic, with a budget."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from trocar.catalog import limit
from trocar.model.space import Array
from trocar.planning.array import Admission, Probes, added, gentler, moves
from trocar.planning.freezing import lethal_share_key
from trocar.planning.icescore import path_scores
from trocar.planning.outlook import SEARCH_SPACING_MM, VERIFY_SPACING_MM, Foresight, Outlook, worth
from trocar.planning.surroundings import Surroundings

GAIN = 0.004  # a move must gain this much
GAIN_FOR_ONE_MORE_FRAC = 0.03  # fewer probes are preferred below this gain; design
MOST_PROBES = 8
ADDED_TRIED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How many predictions a search may ask for, how many at a time, and whether it ends with some at 2 mm."""

    predictions: int = 40
    batch: int = 10
    fine_predictions: int = 0


BOUNDED = Effort()
FULL = Effort(predictions=160, batch=16, fine_predictions=24)


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Probes and what is known of them: a geometric guess, and a prediction where there is a predictor."""

    probes: Probes
    guess: tuple[float, float]  # lethal and visible shares
    outlook: Outlook | None
    intent: str

    @property
    def value(self) -> float:
        """What layouts are ranked by, rounded so that a mirrored case ranks alike."""
        if self.outlook is None:
            return round(self.guess[0] + 0.5 * self.guess[1], 4)
        return round(worth(self.outlook, self.intent), 4)

    @property
    def fractions(self) -> tuple[float, float]:
        """(lethal, visible) shares of the lesion."""
        if self.outlook is None:
            return self.guess
        return self.outlook.lethal_frac, self.outlook.visible_frac

    @property
    def admissible(self) -> bool:
        """Whether every structure stays as warm as wanted, as far as that was predicted."""
        return self.outlook is None or self.outlook.admissible

    @property
    def sufficient(self) -> bool:
        """Whether it reaches the coverage that the intent asks for, and nothing gets too cold."""
        lethal, visible = self.fractions
        enough = limit(lethal_share_key(self.intent)).value, limit("coverage_visible_frac").value
        return lethal >= enough[0] and visible >= enough[1] and self._with_margin and self.admissible

    @property
    def _with_margin(self) -> bool:
        """Whether ice covers the curative margin; another intent asks for none."""
        if self.intent != "curative" or self.outlook is None:
            return True
        return self.outlook.shell_frac >= limit("coverage_curative_frac").value


@dataclass(eq=False)
class Scout:
    """Asks for predictions and counts them."""

    around: Surroundings
    aim_points: Array
    intent: str
    foresight: Foresight | None
    asked: dict[float, int] = field(default_factory=dict)

    def see(self, candidates: Sequence[Probes], *, spacing_mm: float = SEARCH_SPACING_MM) -> list[Seen]:
        """Each candidate with its outlook, predicted together."""
        guesses = self.guesses(candidates)
        seen: Sequence[Outlook | None] = [None] * len(candidates)
        if self.foresight is not None:
            steps = [each.step(self.around.lesion.name) for each in candidates]
            seen = self.foresight.outlooks(steps, spacing_mm=spacing_mm)
            self.asked[spacing_mm] = self.asked.get(spacing_mm, 0) + len(candidates)
        return [Seen(*row, self.intent) for row in zip(candidates, guesses, seen, strict=True)]

    def guesses(self, candidates: Sequence[Probes]) -> list[tuple[float, float]]:
        """Geometric shares, to choose what is worth a prediction."""
        if not candidates:
            return []
        scores = path_scores(self.aim_points, [each.paths for each in candidates], candidates[0].tool.device)
        return [(float(lethal), float(visible)) for lethal, visible in scores]

    def promising(self, candidates: Sequence[Probes], count: int) -> list[Probes]:
        """The candidates that the geometric guess likes best."""
        guesses = self.guesses(candidates)
        order = sorted(range(len(candidates)), key=lambda n: -round(guesses[n][0] + 0.5 * guesses[n][1], 3))
        return [candidates[n] for n in order[:count]]


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """What a search needs: who is asked, what is allowed, how much may be asked."""

    scout: Scout
    admit: Admission
    effort: Effort = BOUNDED

    def best(self, start: Seen, *, budget: int | None = None, spacing_mm: float = SEARCH_SPACING_MM) -> Seen:
        """Pattern search from a start, first with long moves then with short ones, until nothing gains."""
        left = self.effort.predictions if budget is None else budget
        best, scale = start, 1.0
        while left > 0 and scale > 0.2:
            tried = self._worth_asking(best, scale, min(left, self.effort.batch))
            seen = self.scout.see(tried, spacing_mm=spacing_mm)
            left -= len(seen)
            better = [each for each in seen if _preferred(each, best)]
            if not better:
                scale /= 2
                continue
            best = max(better, key=lambda each: each.value)
        return best

    def _worth_asking(self, best: Seen, scale: float, count: int) -> list[Probes]:
        allowed = self.admit.moved(best.probes, moves(self.scout.around, best.probes, scale))
        if best.admissible:
            return self.scout.promising(allowed, count)
        weaker = gentler(best.probes)[: max(1, count // 2)]
        return weaker + self.scout.promising(allowed, count - len(weaker))

    def drops(self, best: Seen) -> list[Seen]:
        """The same without each free probe in turn."""
        if best.probes.count < 2:
            return []
        return self.scout.see([best.probes.without(number) for number in best.probes.free])

    def one_more(self, best: Seen) -> Seen | None:
        """The best place for one more probe, refined; None where it gains too little."""
        if best.probes.count >= MOST_PROBES:
            return None
        tried = self.scout.promising(added(self.scout.around, best.probes, self.admit), ADDED_TRIED)
        seen = self.scout.see(tried)
        if not seen:
            return None
        found = self.best(max(seen, key=lambda each: each.value), budget=self.effort.predictions // 2)
        return found if found.value > best.value + GAIN_FOR_ONE_MORE_FRAC else None

    def verified(self, best: Seen) -> Seen:
        """The same at 2 mm, searched on there with what the effort leaves for it; weaker where a hard limit breaks."""
        if self.scout.foresight is None:
            return best
        (fine,) = self.scout.see([best.probes], spacing_mm=VERIFY_SPACING_MM)
        if self.effort.fine_predictions:
            fine = self.best(fine, budget=self.effort.fine_predictions, spacing_mm=VERIFY_SPACING_MM)
        for _ in range(4):
            if fine.outlook is None or not fine.outlook.crossings:
                return fine
            weaker = self.scout.see(gentler(fine.probes), spacing_mm=VERIFY_SPACING_MM)
            if not weaker or max(each.value for each in weaker) <= fine.value:
                return fine
            fine = max(weaker, key=lambda each: each.value)
        return fine


def _preferred(one: Seen, other: Seen) -> bool:
    if one.admissible != other.admissible:
        return one.admissible and one.value > other.value
    return one.value > other.value + GAIN
