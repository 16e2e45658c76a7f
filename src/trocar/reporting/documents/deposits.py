"""Where the cement goes, how much of it, and the volume at which the simulation says to stop."""

from trocar.model.treatment import Technique
from trocar.reporting.documents.facts import Facts
from trocar.reporting.remarks import said


def deposits(facts: Facts) -> tuple[str, ...]:
    """One line for each injection of the plan: `cement-tip: 2.5 ml planned; simulated: stop at 2.2 ml: ...`."""
    language = facts.language
    planned = {
        placement.name: language("{volume} planned", volume=language.number(placement.volume_ml, "ml"))
        for step in facts.steps(Technique.CEMENT)
        for placement in step.placements
        if placement.role == "cement" and placement.volume_ml is not None
    }
    return tuple(
        f"{name}{language.colon} {language.listed([volume, _stop(facts, name)])}" for name, volume in planned.items()
    )


def _stop(facts: Facts, deposit: str) -> str:
    """When to stop by the simulation, or that nobody simulated it."""
    language, simulation = facts.language, facts.gathered.simulation
    checks = simulation.checks if simulation else ()
    stops = [check.message for check in checks if (check.name, check.subject) == ("cement_stop_volume", deposit)]
    if not stops:
        return language("its stop volume is not simulated")
    return language("simulated: {stops}", stops=language.listed(said(stop, language) for stop in stops))
