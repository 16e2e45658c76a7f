"""Plan, simulate and check combined percutaneous treatment of bone metastases.

The verbs in order: `read_case assess propose plan simulate verify report`; `run` makes them all on a `Dossier`.
Everything loads on first use, so that `import trocar` stays light.
Research and education software, not a medical device.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0.dev0"

# Public name -> the module it lives in.
_HOMES = {
    "read_case": "io.reader",
    "assess": "assessment.assess",
    "propose": "proposal.propose",
    "schedule": "proposal.schedule",
    "access": "planning.entries",
    "corridors": "workflow",
    "plan": "workflow",
    "edit": "workflow",
    "simulate": "simulation.simulate",
    "last_state": "simulation.resume",
    "verify": "verification.verify",
    "report": "reporting.report",
    "run": "workflow",
    "Dossier": "io.dossier",
    "Case": "model.case",
    "Clinical": "model.case",
    "Structure": "model.case",
    "Role": "model.case",
    "Side": "model.case",
    "Grid": "model.space",
    "Volume": "model.space",
    "Check": "model.finding",
    "Verdict": "model.finding",
    "Assessment": "model.finding",
    "Simulation": "model.finding",
    "Schedule": "model.schedule",
    "Proposal": "model.treatment",
    "Plan": "model.treatment",
    "Step": "model.treatment",
    "Edits": "model.edits",
    "MovedPath": "model.edits",
    "Placement": "model.treatment",
    "Technique": "model.treatment",
    "Verification": "model.verification",
    "TrocarError": "errors",
    "InputError": "errors",
    "PlanningError": "errors",
    "SolverError": "errors",
    "DossierError": "errors",
}
_MODULES = ("catalog", "phantoms")

if TYPE_CHECKING:
    from trocar import catalog, phantoms
    from trocar.assessment.assess import assess
    from trocar.errors import DossierError, InputError, PlanningError, SolverError, TrocarError
    from trocar.io.dossier import Dossier
    from trocar.io.reader import read_case
    from trocar.model.case import Case, Clinical, Role, Side, Structure
    from trocar.model.edits import Edits, MovedPath
    from trocar.model.finding import Assessment, Check, Simulation, Verdict
    from trocar.model.schedule import Schedule
    from trocar.model.space import Grid, Volume
    from trocar.model.treatment import Placement, Plan, Proposal, Step, Technique
    from trocar.model.verification import Verification
    from trocar.planning.entries import access
    from trocar.proposal.propose import propose
    from trocar.proposal.schedule import schedule
    from trocar.reporting.report import report
    from trocar.simulation.resume import last_state
    from trocar.simulation.simulate import simulate
    from trocar.verification.verify import verify
    from trocar.workflow import corridors, edit, plan, run

__all__ = [
    "Assessment",
    "Case",
    "Check",
    "Clinical",
    "Dossier",
    "DossierError",
    "Edits",
    "Grid",
    "InputError",
    "MovedPath",
    "Placement",
    "Plan",
    "PlanningError",
    "Proposal",
    "Role",
    "Schedule",
    "Side",
    "Simulation",
    "SolverError",
    "Step",
    "Structure",
    "Technique",
    "TrocarError",
    "Verdict",
    "Verification",
    "Volume",
    "__version__",
    "access",
    "assess",
    "catalog",
    "corridors",
    "edit",
    "last_state",
    "phantoms",
    "plan",
    "propose",
    "read_case",
    "report",
    "run",
    "schedule",
    "simulate",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
