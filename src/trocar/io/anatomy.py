"""What a structure's name implies: its role to a planner, and the patient's side."""

import re

from trocar.errors import CaseError
from trocar.model.case import Role, Side

# TotalSegmentator's class names (v1, v2, its bone, tissue and vertebra tasks) and trocar's own, without the side.
_PATTERNS: tuple[tuple[Role, str], ...] = (
    (Role.LESION, r"lesion(_\d+)?"),
    (Role.BODY, r"body|body_trunc|body_extremities"),
    (Role.SKIN, r"skin"),
    (Role.JOINT, r"\w+_joint|joint|vertebrae_discs?|intervertebral_discs?"),
    (
        Role.NERVE,
        r"nerve|nerve_root_[lst]\d+|\w+_nerve|sacral_root_s\d|lumbosacral_trunk|lumbosacral_plexus|brachial_plexus",
    ),
    (Role.CORD, r"spinal_cord|spinal_canal|thecal_sac|cauda_equina"),
    (
        Role.VESSEL,
        r"\w+_artery|\w+_arteries|\w+_vein|\w+_veins|iliac_vena|aorta|\w+_vena_cava|portal_vein_and_splenic_vein|"
        r"brachiocephalic_trunk|pulmonary_vein|lung_vessels|vessel",
    ),
    (Role.BOWEL, r"esophagus|stomach|duodenum|small_bowel|colon|rectum|bowel"),
    (Role.BLADDER, r"urinary_bladder|bladder"),
    (Role.URETER, r"ureter"),
    (Role.LUNG, r"lung|lung_(upper|middle|lower)_lobe"),
    (Role.PLEURA, r"pleura"),
    (
        Role.BONE,
        r"vertebrae_([CTL]\d+|S1)|vertebrae(_body|_bodies)?|sacrum|hip|femur|rib_\d+|rib|sternum|costal_cartilages|"
        r"humerus|scapula|clavicula|skull|tibia|fibula|patella|tarsal|metatarsal|phalanges_(feet|hand)|ulna|radius|"
        r"carpal|metacarpal",
    ),
    (
        Role.MUSCLE,
        r"gluteus_(maximus|medius|minimus)|autochthon|iliopsoas|skeletal_muscle|piriformis|quadratus_lumborum|muscles?|"
        r"quadriceps_femoris|sartorius|thigh_(medial|posterior)_compartment",
    ),
    (Role.FAT, r"subcutaneous_fat|torso_fat|intermuscular_fat|fat"),
    (Role.FLUID, r"pleural_effusion|pericardial_effusion|ascites|fluid"),
    (Role.IMPLANT, r"implant(_\d+)?|metal"),
    (Role.CEMENT, r"cement(_\d+)?"),
    (
        Role.ORGAN,
        r"spleen|kidney|kidney_cyst|gallbladder|liver|pancreas|adrenal_gland|trachea|thyroid_gland|heart|"
        r"heart_(myocardium|atrium|ventricle)|atrial_appendage|brain|prostate|uterus|ovary|seminal_vesicles|face",
    ),
)
_IN_LABELS = 'use a TotalSegmentator name, or state it with --labels: {"7": {"name": "...", "role": "nerve"}}'
_IN_ITS_NAME = (
    "use a TotalSegmentator name, or lesion_1, sciatic_nerve_left, iliac_artery_left ...; for any other give a label "
    "map with --structures and --labels"
)
_SIDE = re.compile(r"(^|_)(left|right)(?=_|$)")
_SIDE_OF = ("left", "right")
_SIDE_OF_LETTER = {"l": "left", "r": "right"}
_WELL_FORMED = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def named(name: str) -> str:
    """The name as trocar writes it, so that its side is known: `Hip_L` and `left hip` are `hip_left`.

    `lesion` alone is `lesion_1`. Raises `CaseError` when it is not a plain word.
    """
    plain = re.sub(r"[\s-]+", "_", name.strip())
    if not _WELL_FORMED.fullmatch(plain) or len(plain) > 64:
        raise CaseError(
            f"a structure cannot be named {name!r}",
            hint="use letters, digits and underscores, as in nerve_root_s1_left",
        )
    known = _sided(plain)
    known = known.lower() if role_of(known) is None and role_of(known.lower()) is not None else known
    return "lesion_1" if known == "lesion" else known


def _sided(plain: str) -> str:
    """The name with the side that any of its words says written `left` or `right`, behind what it is a side of."""
    words = [word.lower() if word.lower() in _SIDE_OF else word for word in plain.split("_")]
    if len(words) > 1 and words[-1].lower() in _SIDE_OF_LETTER:
        words[-1] = _SIDE_OF_LETTER[words[-1].lower()]
    if len(words) > 1 and words[0] in _SIDE_OF:
        side, *words = words
        words.insert(len(words) - words[-1].isdigit(), side)
    return "_".join(words)


def side_in_name(name: str) -> Side | None:
    """The patient's side that a name states; None when it states none."""
    found = _SIDE.search(name)
    return Side(found.group(2)) if found else None


def without_side(name: str) -> str:
    """The name with its side left out, the same for both of a pair."""
    return _SIDE.sub("", name, count=1).lstrip("_")


def role_of(name: str) -> Role | None:
    """The role that a name implies; None when it is not known."""
    plain = without_side(name)
    return next((role for role, pattern in _PATTERNS if re.fullmatch(pattern, plain)), None)


def required_role(name: str, stated: str | None = None, *, labeled: bool = True) -> Role:
    """The stated role, else the one that the name implies. Raises `CaseError` when there is neither.

    `labeled` is whether a labels file can state it, for the hint.
    """
    if stated is not None:
        if stated not in tuple(Role):
            raise CaseError(f"{name}: there is no role {stated!r}", hint=f"roles are: {', '.join(Role)}")
        return Role(stated)
    role = role_of(name)
    if role is None:
        raise CaseError(f"the role of structure {name!r} is unknown", hint=_IN_LABELS if labeled else _IN_ITS_NAME)
    return role
