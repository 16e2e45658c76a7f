"""What the control teaches the model: nothing yet, and it says so."""

from trocar.model.finding import Check, Verdict
from trocar.model.verification import ModelUpdate


def not_estimated() -> tuple[ModelUpdate, Check]:
    """An empty update, and the check that says that no parameter was re-estimated from the control."""
    return ModelUpdate(), Check(
        name="model_update",
        value=None,
        limit=None,
        unit="",
        verdict=Verdict.UNKNOWN,
        source="software default",
        message="no model parameter was re-estimated from the control: forecasts are those of the plan",
    )
