"""What heats, as lines in the patient: bare electrodes, the tines of an array, the radiating part of an antenna."""

from itertools import pairwise

import numpy as np

from trocar.catalog.facts import device
from trocar.errors import CaseError, CatalogError
from trocar.model.device import AnyDevice, MicrowaveAntenna, RfElectrode
from trocar.model.space import Array, Segment, as_vector
from trocar.model.treatment import Placement

CHORDS = 4  # of a tine's half circle
_FORMS = {
    "straight": ("active_length_mm",),
    "bipolar": ("active_length_mm", "gap_mm"),
    "array": ("array_diameter_mm", "tines", "tine_diameter_mm"),
}
_PATTERN = ("frequency_MHz", "efficiency_frac", "radiating_length_mm", "center_from_tip_mm")


def electrode(placement: Placement) -> RfElectrode:
    """The placement's device. Raises `CatalogError` when it is no electrode or its form is not known enough."""
    found = device(placement.device)
    if not isinstance(found, RfElectrode):
        raise CatalogError(f"{placement.device!r} is no RF electrode", hint="see `trocar devices`")
    require_form(found)
    return found


def require_form(found: RfElectrode) -> None:
    """Raises `CatalogError` for an electrode whose form is not known enough to say where it heats."""
    if found.form is None:
        raise CatalogError(f"{found.id}: its form is unknown", hint="straight, bipolar or array")
    _require_known(found)


def antenna(placement: Placement) -> MicrowaveAntenna:
    """The placement's device. Raises `CatalogError` when it is no antenna or no zone table has been fitted."""
    found = device(placement.device)
    if not isinstance(found, MicrowaveAntenna):
        raise CatalogError(f"{placement.device!r} is no microwave antenna", hint="see `trocar devices`")
    require_pattern(found)
    return found


def require_pattern(found: MicrowaveAntenna) -> None:
    """Raises `CatalogError` for an antenna that no zone table has been fitted to."""
    _require_known(found)


def unknown_fields(made: AnyDevice) -> tuple[str, ...]:
    """What is not known of a device that heats and keeps it from being simulated; empty when nothing does."""
    needed: tuple[str, ...] = ()
    if isinstance(made, RfElectrode):
        needed = _FORMS[made.form] if made.form else ("form",)
    elif isinstance(made, MicrowaveAntenna):
        needed = _PATTERN
    return tuple(name for name in needed if getattr(made, name) is None)


def poles(placement: Placement) -> tuple[tuple[Segment, ...], ...]:
    """The metal of an electrode, one tuple of straight pieces per potential: two of a bipolar pair, distal first."""
    made = electrode(placement)
    tip, back = _tip(placement)
    length = made.active_length_mm or 0.0
    match made.form:
        case "bipolar":
            proximal = tip + (length + (made.gap_mm or 0.0)) * back
            return ((_piece(tip, back, length),), (_piece(proximal, back, length),))
        case "array":
            return (_umbrella(tip, -back, (made.array_diameter_mm or 0.0) / 2, made.tines or 0),)
        case _:
            return ((_piece(tip, back, length),),)


def radiating(placement: Placement) -> Segment:
    """The stretch along which an antenna radiates; it may reach beyond the tip."""
    made = antenna(placement)
    tip, back = _tip(placement)
    length = made.radiating_length_mm or 0.0
    return _piece(tip + ((made.center_from_tip_mm or 0.0) - length / 2) * back, back, length)


def heating_segments(placement: Placement) -> tuple[Segment, ...]:
    """Where a placement heats, whatever it is. Raises `CatalogError` for a device that does not heat."""
    if isinstance(device(placement.device), MicrowaveAntenna):
        return (radiating(placement),)
    return tuple(piece for pole in poles(placement) for piece in pole)


def radius_mm(placement: Placement) -> float:
    """Of the metal's lines: the shaft's, or a tine's."""
    made = device(placement.device)
    if isinstance(made, RfElectrode) and made.form == "array":
        return (made.tine_diameter_mm or 0.0) / 2
    return placement.diameter_mm / 2


def finest_mm(placement: Placement) -> float:
    """The smallest length a lattice has to see."""
    made = device(placement.device)
    if isinstance(made, RfElectrode):
        sizes = (made.active_length_mm, made.gap_mm, made.array_diameter_mm and made.array_diameter_mm / 4)
        return min(size for size in sizes if size)
    return heating_segments(placement)[0].length_mm


def _umbrella(tip: Array, ahead: Array, radius: float, tines: int) -> tuple[Segment, ...]:
    """Each tine a half circle from the cannula's tip: forward, out to the radius, and back. A prior of its shape."""
    across = np.cross(ahead, np.eye(3)[int(np.argmin(np.abs(ahead)))])
    across /= np.linalg.norm(across)
    beside = np.cross(ahead, across)
    turns = np.linspace(0, np.pi, CHORDS + 1)
    found: list[Segment] = []
    for angle in 2 * np.pi * np.arange(tines) / tines:
        outward = np.cos(angle) * across + np.sin(angle) * beside
        points = [tip + radius / 2 * ((1 - np.cos(turn)) * outward + np.sin(turn) * ahead) for turn in turns]
        found += [Segment(start_lps_mm=as_vector(a), end_lps_mm=as_vector(b)) for a, b in pairwise(points)]
    return tuple(found)


def _tip(placement: Placement) -> tuple[Array, Array]:
    """The tip and the unit vector from it back along the shaft."""
    shaft = np.subtract(placement.entry_lps_mm, placement.target_lps_mm)
    length = float(np.linalg.norm(shaft))
    if not length > 0:
        raise CaseError(f"probe {placement.name!r} has no direction", hint="its entry and target are one point")
    return np.asarray(placement.target_lps_mm, float), shaft / length


def _piece(start: Array, along: Array, length: float) -> Segment:
    return Segment(start_lps_mm=as_vector(start), end_lps_mm=as_vector(start + length * along))


def _require_known(made: RfElectrode | MicrowaveAntenna) -> None:
    for name in unknown_fields(made):
        raise CatalogError(
            f"{made.id}: {name} is unknown, so its heat cannot be simulated",
            hint="transcribe it from the manufacturer, or plan with a device that states it",
        )
