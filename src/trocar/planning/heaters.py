"""Which applicators of the catalog suit a lesion: by what is known of them, by metal, compartment, site and size."""

from dataclasses import dataclass, replace

import numpy as np

from trocar.catalog import devices
from trocar.catalog.applicators import heating_segments, radius_mm, unknown_fields
from trocar.catalog.devicenames import device_name, device_words
from trocar.catalog.ladders import Rung, rungs
from trocar.model.case import Role
from trocar.model.device import AnyDevice, MicrowaveAntenna, RfElectrode
from trocar.model.space import Segment, as_vector
from trocar.model.treatment import Placement, Technique, Text
from trocar.planning.access import Instrument, instrument, needle
from trocar.planning.surroundings import Surroundings

STRAIGHT_UP_TO_MM = 25.0  # one straight electrode: beyond it an array; design
BIPOLAR_UP_TO_MM = 35.0  # of a lesion's mean diameter, for a tip of 20 mm; design
METAL = (Role.IMPLANT, Role.CEMENT)
KIND = {Technique.RADIOFREQUENCY: RfElectrode, Technique.MICROWAVE: MicrowaveAntenna}


@dataclass(frozen=True, slots=True, eq=False)
class Heater:
    """An applicator with its settings; what heats lies `near_mm` to `far_mm` behind the tip, to `reach_mm` across."""

    technique: Technique
    tool: Instrument
    rungs: tuple[Rung, ...]
    near_mm: float  # negative where it heats ahead of its tip
    far_mm: float
    reach_mm: float

    @property
    def middle_mm(self) -> float:
        """From the tip back to the middle of what heats."""
        return (self.near_mm + self.far_mm) / 2

    def segment(self, path: Segment) -> Segment:
        """The stretch that heats, on a path from the skin to the tip."""
        tip, back = np.asarray(path.end_lps_mm), -path.direction
        start, end = (as_vector(tip + at * back) for at in (self.near_mm, self.far_mm))
        return Segment(start_lps_mm=start, end_lps_mm=end)

    def spread_mm(self, path: Segment) -> float:
        """The thickest part: the shaft, or an array's tines from the axis."""
        return self.reach_mm + radius_mm(needle(self.tool, path, ""))


def heaters(around: Surroundings, technique: Technique) -> tuple[tuple[Heater, ...], tuple[Text, ...]]:
    """The applicators that suit, the first choice first, and why each other of the catalog was left out."""
    found: list[Heater] = []
    left_out: list[Text] = []
    for item in devices().values():
        if not isinstance(item, KIND[technique]):
            continue
        why = _unsuited(item, around)
        if why is None:
            found.append(_heater(item, technique))
        else:
            name = device_name(item.id)
            left_out.append(Text(en=f"{name.en}: left out, {why.en}.", fr=f"{name.fr} : écarté, {why.fr}."))
    return tuple(sorted(found, key=lambda each: each.reach_mm)), tuple(left_out)


def metal_near(around: Surroundings) -> bool:
    """Whether the case holds metal or cement already."""
    return any(item.inside.any() for item in around.case.with_role(*METAL))


def in_vertebra(around: Surroundings) -> bool:
    """Whether the lesion's host is a vertebra, so that the canal is near."""
    return any(bone.name.startswith("vertebrae") for bone in around.host_bones[:1])


def _unsuited(item: AnyDevice, around: Surroundings) -> Text | None:
    """Why an applicator is left out; None where nothing speaks against it."""
    unknown = [device_words().fields[name] for name in unknown_fields(item)]
    if unknown:
        return Text(
            en=f"its heat cannot be simulated; unknown: {', '.join(field.en for field in unknown)}",
            fr=f"sa chaleur ne peut pas être simulée ; non connu : {', '.join(field.fr for field in unknown)}",
        )
    if not rungs(item.id):
        return Text(en="no setting of its console is known", fr="aucun réglage de sa console n'est connu")
    if not isinstance(item, RfElectrode):
        return None
    if item.form != "bipolar" and metal_near(around):
        return Text(
            en="metal or cement lies in the field of a monopolar current",
            fr="du métal ou du ciment se trouve dans le champ d'un courant monopolaire",
        )
    if item.form != "bipolar" and in_vertebra(around):
        return Text(
            en="beside the canal a bipolar probe keeps its current between its poles",
            fr="près du canal, une sonde bipolaire garde son courant entre ses pôles",
        )
    return _wrong_size(item, around)


def _wrong_size(item: RfElectrode, around: Surroundings) -> Text | None:
    extents = around.lesion_frame[2]
    mean_mm = float(np.prod(extents)) ** (1 / 3)
    match item.form:
        case "bipolar":
            fits = mean_mm <= BIPOLAR_UP_TO_MM or in_vertebra(around) or metal_near(around)
        case "array":
            fits = item.array_diameter_mm == min(_array_sizes_mm(), key=lambda size: (abs(size - mean_mm), size))
        case _:
            fits = bool(extents.max() <= STRAIGHT_UP_TO_MM)
    if fits:
        return None
    return Text(
        en=f"another size suits a lesion of {mean_mm:.0f} mm",
        fr=f"une autre taille convient à une lésion de {mean_mm:.0f} mm",
    )


def _array_sizes_mm() -> list[float]:
    arrays = [each for each in devices().values() if isinstance(each, RfElectrode) and each.form == "array"]
    return [each.array_diameter_mm for each in arrays if each.array_diameter_mm]


def _heater(item: AnyDevice, technique: Technique) -> Heater:
    tool = instrument(item.id, "probe", what=str(technique))
    pieces = heating_segments(_upright(tool))
    ends = np.array([end for piece in pieces for end in (piece.start_lps_mm, piece.end_lps_mm)])
    across = float(np.hypot(ends[:, 0], ends[:, 1]).max())
    return Heater(technique, tool, rungs(item.id), float(ends[:, 2].min()), float(ends[:, 2].max()), across)


def _upright(tool: Instrument) -> Placement:
    """The applicator with its tip at the origin and its shaft along +z."""
    path = Segment(start_lps_mm=(0.0, 0.0, 100.0), end_lps_mm=(0.0, 0.0, 0.0))
    return replace(needle(tool, path, "applicator"), diameter_mm=max(tool.diameter_mm, 0.1))
