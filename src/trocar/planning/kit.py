"""The bill of materials: what a plan's placements need, with spares and what cannot be counted from them."""

from collections import Counter
from math import ceil, dist

from trocar.catalog import device, devices
from trocar.catalog.ladders import console
from trocar.model.device import Cement, Screw, Wire
from trocar.model.treatment import KitItem, Placement, Step
from trocar.planning.paths import instrument

CEMENT_RESERVE = 1.3  # design (bill of materials rule)


def kit(steps: tuple[Step, ...]) -> tuple[KitItem, ...]:
    """Every device of every step."""
    return tuple(item for step in steps for item in _of_step(step))


def _of_step(step: Step) -> list[KitItem]:
    counted: dict[str, list[Placement]] = {}
    for placement in step.placements:
        counted.setdefault(placement.device, []).append(placement)
    made = [_item(step, device_id, placements) for device_id, placements in counted.items()]
    consoles = dict.fromkeys(found for device_id in counted if (found := console(device_id)) is not None)
    made += _wires(step)
    return made + [KitItem(device=device_id, quantity=1, step=step.id) for device_id in consoles]


def _wires(step: Step) -> list[KitItem]:
    """The wires that a step's cannulated screws go over, where it does not place them itself."""
    if any(placement.role == "wire" for placement in step.placements):
        return []
    screws = [known for item in step.placements if isinstance(known := device(item.device), Screw)]
    wanted = Counter(wire.id for screw in screws if (wire := wire_for(screw)) is not None)
    return [KitItem(device=wire, quantity=count, spare=1, step=step.id) for wire, count in wanted.items()]


def wire_for(screw: Screw) -> Wire | None:
    """The catalog's wire that a screw goes over; None where it has none."""
    wires = (item for item in devices().values() if isinstance(item, Wire) and item.diameter_mm == screw.wire_mm)
    return next(wires, None)


def _item(step: Step, device_id: str, placements: list[Placement]) -> KitItem:
    known = device(device_id)
    if isinstance(known, Cement):
        volume = sum(placement.volume_ml or 0.0 for placement in placements)
        packs = ceil(volume * CEMENT_RESERVE / known.pack_ml) if known.pack_ml else 1
        note = f"{volume:g} ml planned; a mix of its own for this step"
        return KitItem(device=device_id, quantity=max(1, packs), spare=1, step=step.id, note=note)
    if isinstance(known, Screw):
        note = "; ".join(_screw_note(known, placement) for placement in placements)
    else:
        note = "; ".join(_lengths(device_id, placements))
    spare = 1 if placements[0].role in ("probe", "wire") else 0
    return KitItem(device=device_id, quantity=len(placements), spare=spare, step=step.id, note=note)


def _lengths(device_id: str, placements: list[Placement]) -> list[str]:
    """Which of its lengths to have, for a device that is sold in several: the shortest that reaches."""
    tool = instrument(device_id, placements[0].role, what=device_id)
    if len(tool.lengths_mm) < 2:
        return []
    paths_mm = (dist(placement.skin_lps_mm, placement.target_lps_mm) for placement in placements)
    found = {tool.shortest_mm(path_mm) for path_mm in paths_mm}
    return [f"length {length:g} mm" for length in sorted(length for length in found if length is not None)]


def _screw_note(screw: Screw, placement: Placement) -> str:
    lengths = sorted(screw.lengths_mm)
    wanted = min(lengths, key=lambda length: abs(length - placement.length_mm))
    at = lengths.index(wanted)
    beside = [f"{length:g}" for length in lengths[max(0, at - 1) : at + 2] if length != wanted]
    return f"length {wanted:g} mm, have {' and '.join(beside)} mm at hand"
