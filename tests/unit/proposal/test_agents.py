"""Embolic agents: what is refused, what is left to arteriography, and that habits never add to it."""

import proposal_cases as cases
import pytest

from trocar.catalog import devices
from trocar.catalog.ruleset import ruleset
from trocar.model.device import Embolic
from trocar.proposal.agents import agent_choices
from trocar.proposal.inputs import inputs_of

RULES = ruleset()
EMBOLICS = {item.id: item for item in devices().values() if isinstance(item, Embolic)}


def choices(scenario=None, habits=(), **changes):
    scenario = scenario or cases.a2()
    inputs = inputs_of(scenario.case(), scenario.assessment(), "lesion_1")
    known = {"dangerous_anastomosis": False, "spinal_artery_shared": False, "session": ("embolization", "screw")}
    return agent_choices(RULES, {**inputs, **known, **changes}, habits)


def with_status(found, *statuses):
    return {choice.device for choice in found if choice.status in statuses}


# shows: R59, R60, R61, R62
def test_every_agent_of_the_article_is_in_the_catalog():
    assert {"coil", "glue", "microspheres", "pva", "gelatin", "evoh"} <= {item.form for item in EMBOLICS.values()}


# shows: R65
def test_a_dangerous_anastomosis_leaves_coils_or_nothing():
    found = choices(dangerous_anastomosis=True)
    assert with_status(found, "allowed", "to_confirm") == {"coil-generic"}


# shows: R65
def test_a_shared_cord_artery_leaves_nothing():
    assert with_status(choices(spinal_artery_shared=True), "allowed", "to_confirm") == set()


# shows: R63
@pytest.mark.parametrize("scenario", [cases.a2(), cases.a3(opinion=None), cases.a5()])
def test_small_particles_are_refused_where_nerve_skin_or_cord_may_share_the_supply(scenario):
    allowed = with_status(choices(scenario), "allowed", "to_confirm")
    sizes = [EMBOLICS[name].smallest_um for name in allowed if EMBOLICS[name].form in ("microspheres", "pva")]
    assert sizes and min(sizes) >= 300
    assert "microspheres-300-500" in allowed


def test_what_is_unknown_is_never_allowed():
    found = choices(dangerous_anastomosis=None, spinal_artery_shared=None)
    assert with_status(found, "allowed") == set()
    known = choices()
    assert with_status(found, "to_confirm") == with_status(known, "allowed")
    assert "arteriography" in found[0].reasons[0].text.en


# shows: R57, R58, R66
def test_the_aim_decides_between_agents_that_are_allowed():
    before_screws = choices()
    assert EMBOLICS[before_screws[0].device].form in ("microspheres", "pva", "gelatin")
    alone = choices(session=("embolization",))
    assert "glue-nbca" in {choice.device for choice in alone if choice.preferred}
    assert "glue-nbca" not in {choice.device for choice in before_screws if choice.preferred}


# shows: R67
def test_a_habit_orders_what_is_allowed_and_never_adds_to_it():
    habit = choices(habits=("pva-500-710", "microspheres-40-120"))
    assert habit[0].device == "pva-500-710"
    assert "microspheres-40-120" in with_status(habit, "refused")


def test_an_option_that_embolizes_shows_its_agents_and_no_other_does():
    assert cases.a2().proposals()[0].agents
    assert cases.a1().proposals()[0].agents == ()
    reasons = [reason for choice in cases.a2().proposals()[0].agents for reason in choice.reasons]
    assert all(reason.source and reason.text.en and reason.text.fr for reason in reasons)
