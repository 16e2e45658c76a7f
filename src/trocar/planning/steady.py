"""Among layouts nearly as good as the best: the one that holds best when probes and tissue are off."""

from trocar.model.treatment import Text
from trocar.planning.array import moves
from trocar.planning.refine import GAIN, Search, Seen
from trocar.planning.robust import robustness

SCALES = (1.0, 0.5)  # of the moves that make rivals
TRIED, KEPT = 8, 3  # rivals that are predicted, and those that are sampled
NEAR_FRAC = 0.03  # of nominal worth that a rival may lack; design, as for one probe more


def steadiest(search: Search, found: Seen, *, samples: int, seed: int = 0) -> tuple[Seen, tuple[Text, ...]]:
    """The layout or one of its neighbors by what 95 % of the samples reach, and what was compared in words.

    At most `TRIED` predictions more, and `samples` for each of `KEPT` rivals and the layout itself, all drawn alike.
    """
    foresight = search.scout.foresight
    if foresight is None or not samples:
        return found, ()
    lesion = search.scout.around.lesion.name
    compared = [found, *_rivals(search, found)]
    held = [robustness(foresight, each.probes.step(lesion), samples=samples, seed=seed).worth for each in compared]
    best = max(range(len(held)), key=lambda number: (round(held[number], 4), -number))
    if held[best] <= held[0] + GAIN:
        best = 0
    return compared[best], _told(len(compared), best, held)


def _rivals(search: Search, found: Seen) -> list[Seen]:
    around = search.scout.around
    allowed = [
        each for scale in SCALES for each in search.admit.moved(found.probes, moves(around, found.probes, scale))
    ]
    seen = search.scout.see(search.scout.promising(allowed, TRIED))
    near = [each for each in seen if each.admissible >= found.admissible and each.value >= found.value - NEAR_FRAC]
    return sorted(near, key=lambda each: -each.value)[:KEPT]


def _told(count: int, best: int, held: list[float]) -> tuple[Text, ...]:
    if count < 2:
        return ()
    before, after = f"{held[0]:.2f}", f"{held[best]:.2f}"
    before_fr, after_fr = before.replace(".", ","), after.replace(".", ",")
    en, fr = f"none holds better than {before}", f"aucune ne tient mieux que {before_fr}"
    if best:
        en = f"a neighbor is taken, {after} against {before}"
        fr = f"une voisine est retenue, {after_fr} contre {before_fr}"
    return (
        Text(
            en=f"Robustness: {count} layouts nearly as good, by the worth that 95 % of the samples reach: {en}.",
            fr=f"Robustesse : {count} dispositions presque aussi bonnes, selon la valeur atteinte par 95 % des "
            f"tirages : {fr}.",
        ),
    )
