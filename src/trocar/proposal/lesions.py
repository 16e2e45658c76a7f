"""Which of several lesions comes first in a session (order rule E25)."""

from trocar.model.case import Case
from trocar.model.finding import Assessment


def lesion_order(case: Case, assessment: Assessment) -> tuple[str, ...]:
    """The lesions, the least stable first, then the most painful, then the largest.

    Stability is the largest share of its maximum that a known SINS or Mirels total reaches; a lesion without one, or
    whose pain nobody has told apart, comes after those that have one.
    """
    shares: dict[str, float] = {}
    for score in assessment.scores:
        if score.total is not None and score.name.startswith(("SINS", "Mirels")):
            shares[score.lesion] = max(shares.get(score.lesion, 0.0), score.total / score.maximum)

    def urgency(name: str) -> tuple[float, float, float]:
        pain = case.context(name).worst_nrs
        return -shares.get(name, -1.0), -(-1.0 if pain is None else pain), -assessment.lesion(name).volume_ml

    return tuple(sorted((measure.name for measure in assessment.lesions), key=urgency))
