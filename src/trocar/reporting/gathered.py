"""What a report is made from: the case and whichever findings exist, each in its place."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from trocar.errors import CaseError
from trocar.model.case import Case, Role, Side, Structure
from trocar.model.finding import Assessment, Check, Simulation, Verdict
from trocar.model.schedule import Schedule
from trocar.model.space import Array
from trocar.model.strength import Strength
from trocar.model.treatment import Plan, Proposal
from trocar.model.verification import Verification

Findings = Assessment | Proposal | Plan | Simulation | Strength | Verification | Schedule
CRITICAL = (
    Role.NERVE, Role.CORD, Role.VESSEL, Role.BOWEL, Role.BLADDER, Role.URETER, Role.ORGAN, Role.LUNG, Role.PLEURA,
    Role.JOINT, Role.IMPLANT,
)  # fmt: skip
SEVERITY = (Verdict.FAIL, Verdict.WARN, Verdict.UNKNOWN, Verdict.PASS)


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedCheck:
    """A check and the stage that made it: assess, plan, simulate, strengthen, verify; `step` when it belongs to one."""

    stage: str
    step: str
    check: Check


@dataclass(frozen=True, kw_only=True, eq=False)
class Gathered:
    """The case and its findings; what was not given is `None` or empty, and the report says so."""

    case: Case
    assessment: Assessment | None = None
    proposals: tuple[Proposal, ...] = ()
    plan: Plan | None = None
    simulation: Simulation | None = None
    strength: Strength | None = None
    verification: Verification | None = None
    schedule: Schedule | None = None
    source_digests: Mapping[str, str] = field(default_factory=dict)

    @property
    def lesion(self) -> Structure:
        """The lesion that is treated: the plan's, else the first proposal's, else the case's first."""
        name = self.plan.lesion if self.plan else self.proposals[0].lesion if self.proposals else None
        if name is not None:
            return self.case.structure(name)
        if not self.case.lesions:
            raise CaseError("the case has no lesion to report on", hint="give a structure of role lesion")
        return self.case.lesions[0]

    @cached_property
    def lesion_points_lps_mm(self) -> Array:
        """(n, 3) the centers of the lesion's voxels."""
        return self.case.grid.to_lps(np.argwhere(self.lesion.inside)).reshape(-1, 3)

    @property
    def proposal(self) -> Proposal | None:
        """The first option for the reported lesion."""
        return next((option for option in self.proposals if option.lesion == self.lesion.name), None)

    @property
    def side(self) -> Side | None:
        """The side that was measured, else the one that was decided."""
        if self.assessment:
            measured = next((m.side for m in self.assessment.lesions if m.name == self.lesion.name), None)
            if measured is not None:
                return measured
        return self.lesion.side or self.case.clinical.decision.side

    @property
    def side_conflict(self) -> bool:
        """Whether the measured and the decided side contradict each other."""
        decided = self.case.clinical.decision.side
        return decided is not None and self.side is not None and decided != self.side

    @property
    def nerves(self) -> tuple[Structure, ...]:
        return self.case.with_role(Role.NERVE, Role.CORD)

    @property
    def critical(self) -> tuple[Structure, ...]:
        """What an instrument must not cross."""
        return self.case.with_role(*CRITICAL)

    def checks(self) -> tuple[StagedCheck, ...]:
        """Every check of every finding, the worst first."""
        found = [
            *self._of("assess", self.assessment.checks if self.assessment else ()),
            *self._of("plan", self.plan.checks if self.plan else ()),
            *(
                StagedCheck(stage="plan", step=step.id, check=check)
                for step in (self.plan.steps if self.plan else ())
                for check in step.checks
            ),
            *self._of("simulate", self.simulation.checks if self.simulation else ()),
            *self._of("strengthen", self.strength.checks if self.strength else ()),
            *self._of("verify", self.verification.checks if self.verification else ()),
        ]
        return tuple(sorted(found, key=lambda item: SEVERITY.index(item.check.verdict)))

    @staticmethod
    def _of(stage: str, checks: tuple[Check, ...]) -> list[StagedCheck]:
        return [StagedCheck(stage=stage, step="", check=check) for check in checks]


def gather(case: Case, findings: tuple[Findings, ...], source_digests: Mapping[str, str] | None) -> Gathered:
    """The findings by type. Raises `CaseError` for a thing that is no finding, or two of a kind that is single."""
    single: dict[str, Findings] = {}
    proposals = [finding for finding in findings if isinstance(finding, Proposal)]
    for finding in findings:
        if isinstance(finding, Proposal):
            continue
        if not isinstance(finding, Assessment | Plan | Simulation | Strength | Verification | Schedule):
            raise CaseError(f"a report cannot show a {type(finding).__name__}")
        kind = type(finding).__name__.lower()
        if kind in single:
            raise CaseError(f"a report shows one {kind}, and two were given", hint="make one report each")
        single[kind] = finding
    proposals.sort(key=lambda proposal: proposal.rank)
    return Gathered(case=case, proposals=tuple(proposals), source_digests=dict(source_digests or {}), **single)  # type: ignore[arg-type]
