"""The generator of a heating phase: constant power, a temperature, or the console's program of power and roll-off."""

from typing import Any

import numpy as np

from trocar.catalog import device
from trocar.errors import CaseError, CatalogError
from trocar.model.device import MicrowaveAntenna, RfElectrode, RfGenerator
from trocar.model.treatment import HeatingProgram, Placement, ProtocolPhase, Step
from trocar.physics.generator import (
    ConstantGenerator,
    ConstantSettings,
    Generator,
    RampGenerator,
    RampSettings,
    TemperatureGenerator,
    TemperatureSettings,
)

GAIN_W_PER_K, INTEGRAL_S, WITHIN_K = 0.1, 30.0, 2.0  # no maker publishes its own; 0.5 swings by 20 K at 1 mm [design]
RAMP = (
    "start_W", "step_W", "step_every_s", "ceiling_W", "rise_factor", "collapse_frac", "pause_s", "second_frac",
    "longest_s",
)  # fmt: skip


def generator_of(step: Step, phase: ProtocolPhase, placement: Placement) -> Generator:
    """What drives an instrument in a phase.

    Raises `CaseError` for a setting that makes no sense, `CatalogError` for a console whose program is not known.
    """
    setting = phase.setting_of(placement.name)
    if setting is None:
        return _programmed(step, placement)
    if not (np.isfinite(setting) and setting > 0):
        raise CaseError(f"{step.id}: heating {placement.name} with {setting:g} {phase.unit}", hint="more than 0")
    match phase.unit:
        case "W":
            _require_within(step, placement, setting)
            return ConstantGenerator(ConstantSettings(power_W=setting, duration_s=phase.duration_s))
        case "degC":
            return TemperatureGenerator(_temperature(step, placement, setting, phase.duration_s))
    raise CaseError(f"{step.id}: a heat setting in {phase.unit!r}", hint="W is a power, degC a temperature to keep")


def _temperature(step: Step, placement: Placement, target_degC: float, duration_s: float) -> TemperatureSettings:
    made = device(placement.device)
    if isinstance(made, RfElectrode) and made.coolant_degC is not None:
        raise CaseError(
            f"{step.id}: {made.id} is cooled, so its own sensor reads the coolant and no tissue",
            hint="give its power in W, or a program",
        )
    limit_W = made.power_limit_W if isinstance(made, RfElectrode) else None
    if limit_W is None:
        raise CatalogError(
            f"{placement.device}: no power limit is known, so a temperature cannot be kept with it",
            hint="plan with an electrode made for temperature control, or state a power",
        )
    if not 40 <= target_degC <= 110:
        raise CaseError(f"{step.id}: a target of {target_degC:g} degC", hint="40 to 110 degC")
    return TemperatureSettings(
        target_degC=target_degC, within_K=WITHIN_K, power_limit_W=limit_W, dwell_s=duration_s, longest_s=duration_s,
        gain_W_per_K=GAIN_W_PER_K, integral_s=INTEGRAL_S,
    )  # fmt: skip


def _programmed(step: Step, placement: Placement) -> Generator:
    program = step.program
    if program is None:
        raise CaseError(f"{step.id}: no power is stated", hint="give the phase a setting in W or degC, or a program")
    console = device(program.generator)
    if not isinstance(console, RfGenerator):
        raise CatalogError(f"{program.generator!r} is no RF generator", hint="see `trocar devices`")
    if console.control != "impedance":
        raise CaseError(f"{console.id} runs no program of power", hint="give the phase a setting in degC")
    settings: dict[str, Any] = {name: _stated(program, console, name) for name in RAMP}
    _require_within(step, placement, settings["ceiling_W"])
    if console.power_limit_W is not None and settings["ceiling_W"] > console.power_limit_W:
        raise CaseError(f"{step.id}: {console.id} gives at most {console.power_limit_W:g} W", hint="lower the ceiling")
    return RampGenerator(RampSettings(**settings))


def _stated(program: HeatingProgram, console: RfGenerator, name: str) -> float:
    stated = getattr(program, name)
    found = getattr(console, name) if stated is None else stated
    if found is None:
        raise CatalogError(
            f"{console.id}: {name} is not known",
            hint="state it in the step's program, from the electrode's instructions",
        )
    return float(found)


def _require_within(step: Step, placement: Placement, power_W: float) -> None:
    made = device(placement.device)
    most = made.power_limit_W if isinstance(made, RfElectrode | MicrowaveAntenna) else None
    if most is not None and power_W > most:
        raise CaseError(f"{step.id}: {power_W:g} W is more than {made.id} takes, {most:g} W", hint="lower the power")
