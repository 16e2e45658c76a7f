"""Where the stages meet: verbs that compose them, and their order on a dossier."""

from trocar.workflow.clock import session
from trocar.workflow.demos import DEMOS, demo
from trocar.workflow.placing import edit, plan
from trocar.workflow.reach import Corridors, corridors
from trocar.workflow.running import Outcome, edit_dossier, run

__all__ = ["DEMOS", "Corridors", "Outcome", "corridors", "demo", "edit", "edit_dossier", "plan", "run", "session"]
