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
    "wire_through_screw": "Wire passes the screw's cannula",
    "wire_through_trocar": "Wire passes the trocar's lumen",
    "nerve_to_protect": "Nerve that wants protection",
    "nerve_clearance_hard": "Distance to a nerve, hard limit",
    "nerve_clearance_soft": "Distance to a nerve, soft limit",
    "coverage_planned_0_degC": "Planned share of the lesion colder than 0 °C",
    "coverage_planned_-20_degC": "Planned share of the lesion colder than −20 °C",
    "coverage_planned_-40_degC": "Planned share of the lesion colder than −40 °C",
    "implant_gap": "Gap between implants",
    "incision": "Length of the incision",
    "needle_length": "Length of the needle suffices",
    "out_of_plane_angle": "Angle of the path out of the axial plane",
    "position_tolerated": "Position tolerated by the patient",
    "probe_beyond_margin": "Reach of the probe beyond the lesion",
    "probe_parallel": "Probes parallel",
    "probe_spacing_max": "Largest distance between neighboring probes",
    "probe_spacing_min": "Smallest distance between probes",
    "risk_age_over_70": "Risk T20: age above 70 years",
    "risk_more_than_3_probes": "Risk T20: more than three probes",
    "screw_anchor_head": "Anchorage in healthy bone, head side",
    "screw_anchor_tip": "Anchorage in healthy bone, tip side",
    "screw_cortex_clearance": "Distance from the screw to the cortex",
    "screw_head_outside_lesion": "Screw head outside the lesion",
    "screw_tip_outside_lesion": "Screw tip outside the lesion",
    "field_of_view": "Path within the image",
    "voxel_size": "Voxel size of the planning CT",
    "structure_segmented": "Structure segmented",
    "lesion_within_image": "Lesion wholly within the image",
    "lesion_side": "Side of the lesion",
    "lesion_pieces": "Pieces of the lesion",
    "left_right_labels": "Left and right labels agree with the image",
    "nerve_minimum_temperature": "Lowest temperature of a nerve",
    "nerve_minimum_temperature_planned": "Lowest temperature of a nerve, as predicted while planning",
    "cord_minimum_temperature": "Lowest temperature of the cord or thecal sac",
    "skin_minimum_temperature": "Lowest temperature of the skin",
    "bowel_minimum_temperature": "Lowest temperature of the bowel",
    "bladder_minimum_temperature": "Lowest temperature of the bladder",
    "ureter_minimum_temperature": "Lowest temperature of the ureter",
    "ice_skin_distance": "Distance from the ice to the skin",
    "ice_joint_distance": "Distance from the ice to a joint",
    "visible_ice_coverage": "Share of the lesion within the visible ice",
    "lethal_coverage": "Share of the lesion within the lethal zone",
    "minimal_ice_margin": "Smallest margin of the ice",
    "energy_residual": "Residual of the energy balance",
    "grid_refinement": "Change of the zone on a finer grid",
    "step_simulated": "Step simulated",
    "cavity_temperature_for_cement": "Temperature of the cavity when the cement arrives",
    "cement_clock": "Injection within the cement's working time",
    "cement_front_distance": "Distance of the cement's front to a foramen, the canal or a joint",
    "cement_volume": "Cement volume",
    "cement_volume_in_bone": "Cement volume within bone",
    "trocar_short_of_screw_tip": "Gap between the trocar and the screw's tip",
    "probe_root_clearance": "Distance of a probe to a root",
    "probe_spacing": "Distance between probes",
    "registration_residual": "Residual of the registration",
    "tip_error": "Error of the tip",
    "angle_error": "Error of the angle",
    "ice_seen": "Ice seen on the control CT",
    "ice_visible": "Share of the predicted ice that CT can show",
    "ice_margin": "Margin of the seen ice",
    "control_voxel_size": "Voxel size of the control CT",
    "model_update": "Model fitted to the control CT",
    "nerve_clearance": "Distance to a nerve",
    "vessel_clearance": "Distance to a vessel",
    "organ_clearance": "Distance to an organ",
    "joint_clearance": "Distance to a joint",
    "implant_clearance": "Distance to an implant",
    "corridor_width": "Width of the bone corridor",
    "screw_anchor": "Anchorage in healthy bone",
    "cement_room": "Room for cement in bone",
}

CAVEATS = {
    "bone_conductivity_uncertain": "The heat conductivity of bone is uncertain.",
    "skin_at_rest_37_degC": "The skin is taken at 37 °C before the freeze; it is cooler in reality.",
    "tumor_perfusion_prior": "The tumor's perfusion is a prior, not measured.",
    "vascularity_unknown": "The vascularity of the lesion is unknown.",
    "ct_ends_within_the_simulated_box": "The CT ends within the simulated box; beyond it tissue is assumed.",
    "vessels_not_segmented": "No vessel is segmented: the heat that vessels bring is not simulated.",
    "cement_by_geometry": "Cement is a ball at the injection point; its flow and leaks are not simulated.",
    "embolization_prior": "How much perfusion an embolization leaves is a prior.",
    "model_prior": "The cold of a probe without isotherm table is a prior.",
}

_HEAT = "bioheat with freezing on an enthalpy lattice; needles by Gaussian-line exchange"
MODELS = {_HEAT: _HEAT}

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
