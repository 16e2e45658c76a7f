"""Embolization lowers the lesion's perfusion and may leave oil in it, and everything after it sees that."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from trocar.catalog import device
from trocar.errors import CaseError
from trocar.materials.oil import holds_oil, oil_share_frac
from trocar.model.case import Case
from trocar.model.finding import Check, Verdict
from trocar.model.forecast import AfterEmbolization
from trocar.model.state import TissueState
from trocar.model.treatment import Plan, Step, Technique
from trocar.simulation.fixation import retissued
from trocar.simulation.session import Played, Session, in_new_tissue


@dataclass(frozen=True, slots=True, kw_only=True)
class Embolized:
    """What embolizations have done so far, lesion by lesion: shares of its own perfusion left, of its volume oil."""

    perfusion_left_frac: Mapping[str, float] = field(default_factory=dict)
    oil_frac: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def by(cls, case: Case, plan: Plan) -> "Embolized":
        """By all of a plan's embolizations."""
        done = cls()
        for step in plan.of(Technique.EMBOLIZATION):
            done = done.after(case, step)
        return done

    def after(self, case: Case, step: Step) -> "Embolized":
        """With one more. Raises `CaseError` for an unknown or senseless remainder, or for more oil than it holds."""
        if step.perfusion_scale is None or not 0 <= step.perfusion_scale <= 1:
            said = "no" if step.perfusion_scale is None else f"{step.perfusion_scale:g} of the"
            raise CaseError(
                f"{step.id}: {said} perfusion is stated for after the embolization",
                hint="perfusion_scale, a share from 0 to 1",
            )
        left = self.perfusion_left_frac.get(step.lesion, 1.0) * step.perfusion_scale
        share = oil_share_frac(case, step)
        oil = {step.lesion: min(self.oil_frac.get(step.lesion, 0.0) + share, 1.0)} if share > 0 else {}
        return Embolized(
            perfusion_left_frac={**self.perfusion_left_frac, step.lesion: left}, oil_frac={**self.oil_frac, **oil}
        )


def after_embolization(state: TissueState, lesion: str) -> AfterEmbolization:
    """What embolizations have left of one lesion."""
    return AfterEmbolization(
        perfusion_left_frac=state.perfusion_left_frac.get(lesion, 1.0), oil_frac=state.oil_frac.get(lesion, 0.0)
    )


def embolize(session: Session, state: TissueState, step: Step) -> Played:
    """The lesion's perfusion times the step's scale, and its oil spread evenly over the lesion.

    Raises `CaseError` when the step does not say what is left of the perfusion, or for more oil than the lesion holds.
    """
    before = Embolized(perfusion_left_frac=state.perfusion_left_frac, oil_frac=state.oil_frac)
    done, share = before.after(session.case, step), oil_share_frac(session.case, step)
    after = state.after(perfusion_left_frac=dict(done.perfusion_left_frac), oil_frac=dict(done.oil_frac))
    session = replace(session, tissue=retissued(session, after))
    return Played(
        state=in_new_tissue(after, session.tissue),
        session=session,
        checks=_oil_checks(step, share),
        caveats=("embolization_prior", "oil_spread_evenly") if share > 0 else ("embolization_prior",),
    )


def _oil_checks(step: Step, share: float) -> tuple[Check, ...]:
    """How much oil stays: UNKNOWN where the agent has some and nobody says how much."""
    if step.oil_ml is None and (step.embolic is None or not holds_oil(step.embolic)):
        return ()
    known = step.oil_ml is not None
    name = device(step.embolic).name if step.embolic else "oil"
    return (
        Check(
            name="oil_in_lesion", subject=step.lesion, value=round(share, 4) if known else None, limit=None, unit="1",
            verdict=Verdict.PASS if known else Verdict.UNKNOWN, source="S32",
            message="spread evenly: ice grows less in it" if known
            else f"{name}: how much oil stays is not stated, so that none is simulated; ice will be smaller",
        ),
    )  # fmt: skip
