"""English words for the ids of checks, steps, techniques, roles and structures. French is in `locales/fr.po`."""

VERDICTS = {"FAIL": "FAIL", "WARN": "WARN", "UNKNOWN": "UNKNOWN", "PASS": "PASS"}

STAGES = {"assess": "assessment", "plan": "plan", "simulate": "simulation", "verify": "verification"}

SIDES = {"left": "left", "right": "right", "midline": "midline"}

TECHNIQUES = {
    "embolization": "embolization",
    "biopsy": "biopsy",
    "protection": "protection",
    "cryoablation": "cryoablation",
    "radiofrequency": "radiofrequency",
    "microwave": "microwave",
    "screw": "screw",
    "cement": "cement",
}

STATUSES = {
    "indicated": "indicated",
    "optional": "optional",
    "not_indicated": "not indicated",
    "contraindicated": "contraindicated",
}

PROPOSAL_VERDICTS = {
    "discuss": "option to discuss",
    "refer": "refer first",
    "stop": "stopped by a gate",
    "missing": "input missing",
    "none": "no option",
}

INTENTS = {"curative": "curative", "palliative": "palliative", "protected": "protected (partial, away from a nerve)"}

VARIANTS = {
    "screw_then_cement": "screw, then cement at both ends",
    "screw_mounted_on_cement": "screw mounted on cement",
}

OUTCOMES = {
    "pass": "passed",
    "warn": "warning",
    "info": "information",
    "require": "required",
    "refer": "refer",
    "stop": "stop",
    "missing": "missing",
}

STEPS = {
    "MDT": "tumor board",
    "CONSULT": "consultation",
    "CHECKLIST_IN": "checklist, sign-in",
    "ANAESTH": "anesthesia",
    "IONM_SETUP": "neuromonitoring set-up",
    "POSITION": "positioning",
    "PLAN_CT": "planning CT",
    "ANGIO": "arteriography",
    "EMBOLISE": "embolization",
    "ACCESS_CLOSE": "closure of the arterial access",
    "BIOPSY": "biopsy",
    "PROTECT": "protection of nerves and organs",
    "APPLICATOR_PLACE": "placement of the probes",
    "ABLATE": "ablation",
    "CONTROL": "control CT",
    "THAW": "thaw",
    "APPLICATOR_REMOVE": "removal of the probes",
    "TRACT_ABLATE": "tract ablation",
    "K_WIRE": "wire",
    "SCREW": "screw",
    "TROCAR_PLACE": "placement of the trocar",
    "CEMENT_MIX": "cement mixing",
    "CEMENT_INJECT": "cement injection",
    "CEMENT_SET": "cement setting",
    "FINAL_CT": "final CT",
    "CHECKLIST_OUT": "checklist, sign-out",
    "RECOVERY": "recovery",
    "FOLLOWUP": "follow-up",
}

PHASES = {
    "freeze": "freeze",
    "thaw_passive": "passive thaw",
    "thaw_active": "active thaw",
    "heat": "heating",
    "inject": "injection",
    "wait": "waiting",
}

POSITIONS = {"prone": "prone", "supine": "supine", "lateral": "lateral"}

ROLES = {
    "lesion": "lesion",
    "bone": "bone",
    "nerve": "nerve",
    "cord": "cord or thecal sac",
    "vessel": "vessel",
    "bowel": "bowel",
    "bladder": "bladder",
    "ureter": "ureter",
    "organ": "organ",
    "lung": "lung",
    "pleura": "pleura",
    "joint": "joint",
    "skin": "skin",
    "muscle": "muscle",
    "fat": "fat",
    "fluid": "fluid",
    "implant": "implant",
    "cement": "cement",
    "body": "body",
}

PLACEMENT_ROLES = {
    "probe": "cryoprobe",
    "biopsy": "biopsy needle",
    "screw": "screw",
    "trocar": "trocar",
    "wire": "wire",
    "cement": "cement deposit",
    "thermocouple": "thermocouple",
    "needle": "needle",
}

MATRICES = {"lytic": "lytic", "mixed": "mixed", "sclerotic": "sclerotic"}

SITES = {
    "iliac_wing": "iliac wing",
    "sacral_ala": "sacral ala",
    "sacrum": "sacrum",
    "acetabulum": "acetabulum",
    "vertebra": "vertebra",
    "rib": "rib",
    "proximal_femur": "proximal femur",
    "long_bone": "long bone",
    "soft_tissue": "soft tissue",
}

# Structures by the stem of their name; roots, vertebrae and ribs are made from their level.
STRUCTURES = {
    "lesion": "lesion",
    "body": "body",
    "skin": "skin",
    "hip": "hip bone",
    "sacrum": "sacrum",
    "femur": "femur",
    "gluteus_maximus": "gluteus maximus",
    "gluteus_medius": "gluteus medius",
    "gluteus_minimus": "gluteus minimus",
    "iliopsoas": "iliopsoas",
    "autochthon": "paraspinal muscles",
    "colon": "colon",
    "small_bowel": "small bowel",
    "rectum": "rectum",
    "urinary_bladder": "urinary bladder",
    "iliac_artery": "iliac artery",
    "iliac_vena": "iliac vein",
    "superior_gluteal_artery": "superior gluteal artery",
    "lumbosacral_trunk": "lumbosacral trunk",
    "sciatic_nerve": "sciatic nerve",
    "femoral_nerve": "femoral nerve",
    "obturator_nerve": "obturator nerve",
    "thecal_sac": "thecal sac",
    "spinal_cord": "spinal cord",
    "sacroiliac_joint": "sacroiliac joint",
    "hip_joint": "hip joint",
    "aorta": "aorta",
    "inferior_vena_cava": "inferior vena cava",
    "kidney": "kidney",
    "liver": "liver",
    "spleen": "spleen",
    "lung": "lung",
    "ureter": "ureter",
}

CHECKS = {
    "voxel_size": "Voxel size of the planning CT",
    "structure_segmented": "Structure segmented",
    "lesion_within_image": "Lesion wholly within the image",
    "lesion_side": "Side of the lesion",
    "lesion_pieces": "Pieces of the lesion",
    "left_right_labels": "Left and right labels agree with the image",
}

CAVEATS: dict[str, str] = {}

MODELS: dict[str, str] = {}

VIEWER_TEXT = {
    "step": "Step",
    "window": "Window",
    "window_bone": "bone",
    "window_soft": "soft tissue",
    "overlays": "lines on slices",
    "show_bone": "bone",
    "show_lesion": "tumor",
    "show_ice": "ice",
    "show_nerve": "nerves",
    "show_instrument": "instruments",
    "next_instrument": "next instrument",
    "axial": "axial, seen from the feet",
    "coronal": "coronal",
    "sagittal": "sagittal, seen from the left",
    "oblique": "along",
    "oblique_none": "sagittal (this step has no instrument)",
    "three_d": "3-D: drag or use the arrow keys to turn",
    "slider_axial": "axial slice, millimeters towards the head",
    "slider_coronal": "coronal slice, millimeters towards the back",
    "slider_sagittal": "sagittal slice, millimeters towards the left",
    "coldest": "coldest so far",
}
