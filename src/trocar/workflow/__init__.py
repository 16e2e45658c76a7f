"""Where the stages meet: verbs that compose them, and their order on a dossier."""

from trocar.workflow.demos import DEMOS, demo
from trocar.workflow.placing import edit, plan
from trocar.workflow.running import Outcome, edit_dossier, run, strength

__all__ = ["DEMOS", "Outcome", "demo", "edit", "edit_dossier", "plan", "run", "strength"]
