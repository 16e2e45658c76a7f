"""What a check says in passing, in either language: stages write English, the report recognizes its sentences."""

import re
from functools import cache

from trocar.catalog import devices
from trocar.catalog.structures import from_fr, structure_names
from trocar.catalog.structures import structure_name as catalog_name
from trocar.reporting import vocabulary
from trocar.reporting.language import Language
from trocar.reporting.readings import READINGS
from trocar.reporting.words import check_name, structure_name, subject_name

_PLACE = re.compile(r"\\\{(\w+)\\\}")
_NUMBER = re.compile(r"-?\d+(\.\d+)?%?( x \d+(\.\d+)?)*")
_NAMES = re.compile(r"[A-Za-z]\w*(, [A-Za-z]\w*)*")
_COLON = re.compile(r"(?<=[\w)]):(?= )")
_PHRASES = "|".join(phrase for phrase in vocabulary.STATED if " " in phrase)
_ID = re.compile(rf"(?<![\w.])(?:{_PHRASES}|[A-Za-z]\w*(?:[-.]\w+)*)(?![\w.])")

# Sentences of checks; the places are filled with what the stage wrote there.
REMARKS = {
    "strength_not_validated": "linear and bonded; absolute strength of this site is not validated: compare the ratios",
    "compared": "{share} of the bone's surface compared",
    "compared_poor": "{share} of the bone's surface compared: nothing below may be relied on",
    "left_out": "{technique}: all of its instruments were deleted by hand; the option asks for it",
    "mirrored": "the control is more like the plan's MIRROR IMAGE: is it flipped? nothing below may be relied on",
    "mirror_unknown": "the images share too little to tell left from right",
    "same_image": "this is the planning CT itself: nothing below is a control",
    "ice_hidden": "{share} of the simulated ice lies where CT cannot show it (bone, fat, metal)",
    "order_kept": "1: the order is kept",
    "bead": "{name}: {volume} ml fill {share} of a ball around the injection point, not a flow simulation",
    "coarse_axis": "distances along the coarsest axis are less certain",
    "axis": "from ({a}, {b}, {c}) to ({d}, {e}, {f})",
    "clock": "from paste to screw driven, from a mix of its own: wire in, trocar out, screw over the wire",
    "vascularity": "no enhanced phase and no grade: the lesion's vascularity is unknown",
    "trocar_short": "how far from the screw's tip the longest trocar leaves the cement",
    "beside": "{name}: meant to lie beside it",
    "close": "{name}: less than the hard limit and a placement error",
    "none_segmented": "{name}: no such structure is segmented",
    "odds_two": "information, not a stop: odds ratio {all} (all), {major} (major)",
    "odds_one": "information, not a stop: odds ratio {major} (major)",
    "refinement": "how far 95 % of its surface moves at most from {coarse} mm to {fine} mm",
    "no_cord": "neither cord nor thecal sac is segmented; absent is not safe",
    "nerves_not_segmented": "nerves not segmented",
    "skin_not_segmented": "skin not segmented",
    "bowel_not_segmented": "bowel not segmented",
    "no_update": "no model parameter was re-estimated from the control: forecasts are those of the plan",
    "no_nerve": "no nerve is segmented: nothing is known of the distance to any nerve; absent is not safe",
    "anastomoses_unknown": "anastomoses are not known: look for them at arteriography",
    "agent_refused": "refused by {rules}",
    "no_nerve_to_protect": "no nerve is segmented: which one to protect is not known",
    "no_nerve_near": "no segmented nerve lies within {distance} mm of the lesion",
    "no_role": "no structure of role {role} is given; absent is not safe",
    "none_near": "none within {distance} mm of a probe",
    "margin": "measured {minimum} mm over {share} of the lesion's surface",
    "hub": "path and hub reserve",
    "predicted": "predicted at {spacing} mm",
    "predicted_partial": "predicted at {spacing} mm; partial by choice: the probe is kept off {nerve}",
    "scored": "geometric score, not a temperature",
    "scored_partial": "geometric score, not a temperature; partial by choice: the probe is kept off {nerve}",
    "not_predicted": "no prediction was made while planning",
    "setting_unsure": "recalled or chosen: compare it with the instructions for use",
    "none_heated": "none within reach of the heat",
    "nerve_absent": "no nerve is segmented",
    "coagulated": "share of the lesion where Arrhenius damage has reached 1",
    "smallest_part": "cells along its smallest part",
    "skin_damage": "Arrhenius damage of the skin",
    "nothing_coagulated": "nothing was coagulated",
    "residual": "share of the heat moved that the simulation does not account for",
    "colder": "share of the lesion colder than {temperature} degC",
    "below": "share of the lesion below {temperature} degC",
    "crossed": "{limit} degC is crossed at {minutes} min",
    "no_ice": "no ice",
    "intent_unknown": "the intent, curative or palliative, is unknown",
    "thaw": "{limit} degC is reached after another {minutes} min of passive thaw",
    "thaw_long": "{limit} degC is not reached within {minutes} min of passive thaw",
    "no_room": "bone and lesion do not hold the planned volume",
    "stop_none": "nothing asks to stop up to {volume} ml",
    "stop_breach": "stop at {volume} ml: it leaves the bone through a breach of the cortex",
    "stop_foramen": "stop at {volume} ml: it reaches a nerve",
    "stop_canal": "stop at {volume} ml: it reaches the canal",
    "stop_vein": "stop at {volume} ml: it reaches a vessel",
    "stop_joint": "stop at {volume} ml: it reaches a joint",
    "stop_edge": "stop at {volume} ml: it leaves the simulated box, and what then is not known",
    "stop_distance": "stop at {volume} ml: the front is within the stop distance of a nerve, the canal or a joint",
    "stop_room": "stop at {volume} ml: no room is left in bone and lesion",
    "stop_pressure": "stop at {volume} ml: it takes more pressure than a hand has been measured to give",
    "stop_ice": "stop at {volume} ml: the injection point is frozen, and no cement enters ice",
    "leaks_from": "{name}: from {volume} ml on",
    "viscosity_unknown": "how viscous this cement becomes is not in the catalog",
    "pressure_in_bone": "in the bone alone: the trocar's lumen is not in the catalog",
    "length_unknown": "the catalog does not know how long it is",
    "lumen_unknown": "the lumen is not in the catalog: measure it before use",
    "neighbor": "to the nearest neighbor",
    "misses": "its line misses the lesion",
    "cement_alone": "no nerve, canal or joint is segmented",
    "no_place": "no admissible place: {why}",
    "no_place_short": "no admissible place: {why}; {device} is {lack} mm too short on the nearest way",
    "positions": "nobody stated which positions the patient tolerates",
    "not_simulated": "{technique} is not simulated: its effect is unknown",
    "not_found": "no straight metal was found near its planned place",
    "no_ice_seen": "no ice is seen around the probes",
    "no_ice_simulated": "no simulated ice to compare with: how much of the ice the image can show is unknown",
    "no_margin": "no margin to seen ice",
    "no_host": "no segmented bone holds the lesion: its bone compartment is unknown",
    "no_skin": "no skin is segmented and the image shows none",
    "cut": "the image cuts the lesion: its size is a lower bound",
    "pieces": "the lesion's mask is in several pieces: check the contour",
    "swapped": "structures named left lie on the patient's right",
    "wrong_side": "WRONG SIDE: the image and what was stated contradict each other; {stated}",
    "midline_differs": "the image and what was stated differ on whether it lies in the midline; {stated}",
    "side_stated": "image: {stated}",
    "side_unmeasured": "the side could not be measured; {stated}",
    "side_unstated": "nobody stated the side; {stated}",
    "thaw_first": "simulate the thaw, or measure it, before mixing",
    "order_broken": "must come after {steps} ({rules})",
    "session_span": "{low} to {high} min",
    "prior": "a prior of the model",
    "sample_kept": "keep a sample of the mix at hand, and wait until it is hard",
    "screw_between": "length {length} mm, have {shorter} and {longer} mm at hand",
    "screw_beside": "length {length} mm, have {other} mm at hand",
    "length": "length {length} mm",
    "registered_on": "rigid on {bones}; correlation search, then Gauss-Newton",
    "own_mix": "a mix of its own for this step",
    "cement_set": "hottest {peak} degC, by a prior of its kinetics",
    "cement_unset": "it does not set within {minutes} min of its injection; hottest {peak} degC, by a prior of its "
    "kinetics",
    "volume_planned": "{volume} ml planned",
    "cells_active": "cells along its active length",
    "outside_body": "part of its active length lies outside the body",
    "lengths_unknown": "its lengths are not in the catalog",
    "edited": "edited since it was predicted: simulate it",
    "too_coarse": "{spacing} mm is too coarse for its instruments to compare with",
    "layers_unseen": "the layers of its shield are in the heat, not in the field of its antennas",
    "taken_as_muscle": "taken as muscle, no nearer than {distance} mm: {named}",
    "kept_free": "{error} mm of placement error kept free around every instrument",
    "guidance_unknown": "nobody stated how instruments are led: {error} mm of placement error kept free around every "
    "instrument",
    "breach": "grade {planned} as planned, {displaced} ({out} mm) when displaced by {error} mm",
    "robust": "{samples} samples at {spacing} mm: tips off by {error} mm and {angle} deg, bone conductivity and blood "
    "flow by {share} % (standard deviations)",
    "robust_coldest": "{samples} samples at {spacing} mm: tips off by {error} mm and {angle} deg, bone conductivity "
    "and blood flow by {share} % (standard deviations). Coldest: {coldest}",
    "paths_refused": "{tool}: {count} paths from {side}, nearest miss from ({a}, {b}, {c}) to ({d}, {e}, {f})",
    "paths_too_steep": "{tool}: {count} paths from {side}, nearest miss from ({a}, {b}, {c}) to ({d}, {e}, {f}), "
    "{angle} degrees",
    "corridors_short": "screw: {count} corridors, the best anchored from ({a}, {b}, {c}) to ({d}, {e}, {f})",
    "no_corridor": "screw: no straight corridor across the lesion holds it with its cortex clearance",
    "no_cement_room": "cement in the lesion: no bone deep enough, or a canal, root or joint too near",
    "no_trocar_room": "{where}: no bone beside it holds a trocar",
    "no_cement_volume": "{name}: too little bone around it, or a canal, root or joint too near",
    "other_nerves": "no nerve of the lesion's side is segmented near it",
    "other_nerves_for": "{name}: no nerve of the lesion's side is segmented near it",
    **READINGS,
}


def remark(message: str, language: Language) -> str | None:
    """A stage's sentence in this language, whole or part by part; `None` when one of them is none of `REMARKS`."""
    whole = _remark(message, language)
    if whole is not None or "; " not in message:
        return whole
    parts = [_remark(part, language) for part in message.split("; ")]
    return None if None in parts else language.listed(part for part in parts if part is not None)


def said(message: str, language: Language) -> str:
    """A stage's sentence in this language as far as it is known; what is not is as the stage wrote it."""
    whole = _remark(message, language)
    if whole is not None:
        return whole
    return language.listed(_remark(part, language) or language.units(part) for part in message.split("; "))


def _remark(message: str, language: Language) -> str | None:
    if message in vocabulary.SUBJECTS:
        return subject_name(message, language)
    for pattern, template in _patterns():
        found = pattern.fullmatch(message)
        if found:
            filled = {name: _part(name, part, language) for name, part in found.groupdict().items()}
            return language.units(language(template).format(**filled))
    return message if re.fullmatch(r"[\w, -]+", message) and " " not in message else None


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Each sentence as a pattern, the ones with the most fixed text first."""
    templates = sorted(REMARKS.values(), key=lambda text: (-len(re.sub(r"\{\w+\}", "", text)), text))
    return tuple((re.compile(_PLACE.sub(r"(?P<\1>.+?)", re.escape(template))), template) for template in templates)


def _part(place: str, part: str, language: Language) -> str:
    """What fills a place of a sentence: a nerve with its article, in French after `de`."""
    if place == "nerve":
        nerve = catalog_name(part)
        return nerve.of_fr if language.code == "fr" else nerve.said.en
    return _from(part, language) if place == "side" else _filled(part, language)


def _from(direction: str, language: Language) -> str:
    return direction if language.code == "en" else from_fr(direction)


def _filled(part: str, language: Language) -> str:
    if _NUMBER.fullmatch(part):
        text = part.replace("-", "\u2212").replace(" x ", " × ")
        return text.replace(".", ",").replace("%", "\u00a0%") if language.code == "fr" else text
    if part in vocabulary.SUBJECTS:
        return subject_name(part, language)
    if _NAMES.fullmatch(part):
        return ", ".join(structure_name(name, language) for name in part.split(", "))
    named = _ID.sub(lambda found: _named(found[0], language), part)
    return language.listed(_COLON.sub(language.colon, named).split("; "))


def _named(written: str, language: Language) -> str:
    """An id within a sentence by its name; any other word as it is."""
    if written in vocabulary.CHECKS:
        name = check_name(written, language)
        return name[0].lower() + name[1:]
    if written in vocabulary.STATED:
        return language(vocabulary.STATED[written])
    known = written in devices() or written in structure_names() or ("_" in written and "." not in written)
    return subject_name(written, language) if known else written
