"""What is put into the body: one record per kind of device, none per product. Unknown facts are `None`."""

from dataclasses import dataclass, field
from typing import Literal

from trocar.model.record import Record, bounded


@dataclass(frozen=True, slots=True, kw_only=True)
class Device(Record):
    """What every device has. `sources` maps each known field to the key of its source and how sure it is."""

    id: str
    name: str
    manufacturer: str | None = None  # None for a generic entry
    sources: dict[str, str] = field(default_factory=dict)
    notes: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Isotherm(Record):
    """One line of a bench isotherm table: an ellipsoid's axes at a time in a bath."""

    temperature_degC: float
    time_s: float
    width_mm: float
    length_mm: float
    bath: str
    bath_degC: float | None = None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cryoprobe(Device):
    """`model_prior` is true while no isotherm table of this needle calibrates its cold.

    Either the surface's temperature is given, or that of the fluid within and the exchange between them.
    `standard_errors`: of the calibrated fields, by name.
    """

    kind: Literal["cryoprobe"] = "cryoprobe"
    diameter_mm: float = bounded(0.3, 10, default=0.0)
    active_length_mm: float | None = bounded(1, 100)
    tip_offset_mm: float | None = bounded(0, 50)
    shaft_lengths_mm: tuple[float, ...] = ()
    surface_degC: float | None = bounded(-200, 0)
    fluid_degC: float | None = bounded(-200, 0)
    exchange_W_per_m2K: float | None = bounded(10, 1e6)
    power_limit_W: float | None = bounded(1, 200)
    ramp_s: float | None = bounded(0, 600)
    standard_errors: dict[str, float] = field(default_factory=dict)
    isotherms: tuple[Isotherm, ...] = ()
    model_prior: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class BiopsyNeedle(Device):
    kind: Literal["biopsy_needle"] = "biopsy_needle"
    compartment: Literal["soft_tissue", "bone"] = "soft_tissue"
    diameter_mm: float = bounded(0.3, 10, default=0.0)
    lengths_mm: tuple[float, ...] = ()
    throw_mm: float | None = bounded(1, 60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trocar(Device):
    kind: Literal["trocar"] = "trocar"
    diameter_mm: float = bounded(0.3, 10, default=0.0)
    inner_diameter_mm: float | None = bounded(0.1, 10)
    lengths_mm: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire(Device):
    kind: Literal["wire"] = "wire"
    diameter_mm: float = bounded(0.1, 6, default=0.0)
    lengths_mm: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Screw(Device):
    kind: Literal["screw"] = "screw"
    diameter_mm: float = bounded(1, 20, default=0.0)
    cannula_mm: float | None = bounded(0.1, 10)
    wire_mm: float | None = bounded(0.1, 10)
    lengths_mm: tuple[float, ...] = ()
    material: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cement(Device):
    """Times count from mixing: the working times at `room_degC`, setting at `set_degC`.

    Each kelvin less makes them longer by the factor exp(`rate_frac_per_K`).
    """

    kind: Literal["cement"] = "cement"
    pack_ml: float | None = bounded(1, 200)
    room_degC: float | None = bounded(5, 40)
    liquid_until_s: float | None = bounded(0, 7200)
    paste_until_s: float | None = bounded(0, 7200)
    set_at_s: float | None = bounded(0, 7200)
    set_degC: float | None = bounded(5, 45)
    rate_frac_per_K: float | None = bounded(0, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Embolic(Device):
    kind: Literal["embolic"] = "embolic"
    form: str | None = None
    smallest_um: float | None = bounded(1, 5000)
    largest_um: float | None = bounded(1, 5000)
    permanent: bool | None = None
    radiopaque: bool | None = None
    ethiodized_oil: bool | None = None  # whether it is mixed with it
    residual_perfusion_frac: float | None = bounded(0, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accessory(Device):
    """Whatever is counted but not simulated: thermocouple, fluid, sheath, console."""

    kind: Literal["accessory"] = "accessory"
    diameter_mm: float | None = bounded(0.1, 50)
    lengths_mm: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RfElectrode(Device):
    """Lengths are of bare metal; a bipolar pair has two such lengths on one shaft, `gap_mm` apart.

    `array_diameter_mm`, `tines` and `tine_diameter_mm` are of an expandable array, fully deployed. A cooled electrode
    keeps its metal at `coolant_degC`, or the fluid within where `coolant_W_per_m2K` is given.
    """

    kind: Literal["rf_electrode"] = "rf_electrode"
    form: Literal["straight", "bipolar", "array"] | None = None
    cooled: bool | None = None
    diameter_mm: float | None = bounded(0.3, 10)
    active_length_mm: float | None = bounded(1, 100)
    gap_mm: float | None = bounded(0.1, 50)
    array_diameter_mm: float | None = bounded(5, 100)
    tines: int | None = bounded(2, 30)
    tine_diameter_mm: float | None = bounded(0.1, 3)
    power_limit_W: float | None = bounded(1, 500)
    coolant_degC: float | None = bounded(0, 45)
    coolant_W_per_m2K: float | None = bounded(10, 1e6)
    lengths_mm: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RfGenerator(Device):
    """What is known of how a generator gives its power; a simulation needs every setting of its kind of control."""

    kind: Literal["rf_generator"] = "rf_generator"
    control: Literal["impedance", "temperature", "constant"] | None = None
    frequency_kHz: float | None = bounded(100, 3000)
    power_limit_W: float | None = bounded(1, 500)
    start_W: float | None = bounded(1, 500)
    step_W: float | None = bounded(0, 500)
    step_every_s: float | None = bounded(1, 600)
    ceiling_W: float | None = bounded(1, 500)
    rise_factor: float | None = bounded(1, 20)
    collapse_frac: float | None = bounded(0, 1)
    pause_s: float | None = bounded(0, 600)
    second_frac: float | None = bounded(0, 1)
    target_degC: float | None = bounded(40, 110)
    dwell_s: float | None = bounded(0, 3600)
    longest_s: float | None = bounded(1, 7200)


@dataclass(frozen=True, slots=True, kw_only=True)
class AblationZone(Record):
    """One line of a zone table: an ellipsoid's axes after a time at a power, and how far it lies beyond the tip."""

    power_W: float
    time_s: float
    width_mm: float
    length_mm: float
    beyond_tip_mm: float | None = None
    medium: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MicrowaveAntenna(Device):
    """`efficiency_frac` and `radiating_length_mm` are what a model of heat needs, fitted to `zones`.

    `center_from_tip_mm` is where it radiates most. `model_prior` is true while the medium of the zones is not known.
    """

    kind: Literal["microwave_antenna"] = "microwave_antenna"
    cooled: bool | None = None
    diameter_mm: float | None = bounded(0.3, 10)
    frequency_MHz: float | None = bounded(100, 20000)
    power_limit_W: float | None = bounded(1, 500)
    efficiency_frac: float | None = bounded(0.01, 1)
    radiating_length_mm: float | None = bounded(1, 150)
    center_from_tip_mm: float | None = bounded(0, 150)
    zones: tuple[AblationZone, ...] = ()
    lengths_mm: tuple[float, ...] = ()
    model_prior: bool = True


AnyDevice = (
    Cryoprobe | BiopsyNeedle | Trocar | Wire | Screw | Cement | Embolic | Accessory
    | RfElectrode | RfGenerator | MicrowaveAntenna
)  # fmt: skip
