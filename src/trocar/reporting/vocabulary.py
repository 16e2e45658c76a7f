"""English words for the ids of checks, steps, techniques and roles. French is in `locales/fr.po`.

Structures and devices have their names, in both languages, in the catalog.
"""

VERDICTS = {"FAIL": "FAIL", "WARN": "WARN", "UNKNOWN": "UNKNOWN", "PASS": "PASS"}

STAGES = {
    "assess": "assessment",
    "plan": "plan",
    "simulate": "simulation",
    "strengthen": "strength",
    "verify": "verification",
}

SIDES = {"left": "left", "right": "right", "midline": "midline"}

# Words of what was seen and stated of a lesion's side.
STATED = {
    **SIDES,
    "decision": "decision",
    "by paired bones": "by paired bones",
    "by midline bones": "by midline bones",
    "by body outline": "by body outline",
}

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
    "hold": "no approval yet",
}

SCORES = {
    "SINS": "SINS",
    "SINS (read as S1, junctional)": "SINS (read as S1, junctional)",
    "SINS (read as S2-S5, rigid)": "SINS (read as S2-S5, rigid)",
    "Mirels": "Mirels",
    "axial cortical involvement": "axial cortical involvement",
    "Harrington": "Harrington",
    "MAC": "MAC (metastatic acetabular classification)",
}

SCORE_ORIGINS = {"measured": "measured", "entered": "entered", "assumed": "assumed", "unknown": "missing item"}

SCORE_ITEMS = {
    "site": "site",
    "pain": "pain",
    "lesion": "lesion",
    "size": "size",
    "location": "location",
    "alignment": "alignment",
    "collapse": "collapse",
    "posterolateral": "posterolateral involvement",
    "axial": "length of destroyed cortex",
    "circumferential": "circumference destroyed",
    "medial_wall": "medial wall",
    "lateral_cortex": "lateral cortex",
    "acetabular_roof": "acetabular roof",
    "anterior_column": "anterior column",
    "posterior_column": "posterior column",
    "solitary_for_cure": "solitary, resectable for cure",
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
    "NERVE_BLOCK": "nerve block",
    "TRACT_ABLATE": "tract ablation",
    "K_WIRE": "wire",
    "SCREW": "screw",
    "WIRE_REMOVE": "removal of the wire",
    "TROCAR_PLACE": "placement of the trocar",
    "CEMENT_MIX": "cement mixing",
    "CEMENT_INJECT": "cement injection",
    "TROCAR_REMOVE": "removal of the trocar",
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

MOMENTS = {"after": "at the end", "thaw": "thaw", **PHASES}

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
    "probe": "ablation probe",
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

# What a plan looked for a way for, and what checks and refusals are about where it is no structure and no device.
SUBJECTS = {
    "cryoprobe": "cryoprobe",
    "cryoprobes": "cryoprobes",
    "probes": "probes",
    "biopsy": "biopsy",
    "biopsy needle (bone)": "biopsy needle (bone)",
    "biopsy needle (soft tissue)": "biopsy needle (soft tissue)",
    "thermocouple": "thermocouple",
    "needle": "needle",
    "needle and thermocouple": "needle and thermocouple",
    "radiofrequency": "radiofrequency",
    "microwave": "microwave",
    "screw": "screw",
    "screw access": "screw access",
    "screws and trocars": "screws and trocars",
    "trocar to the screw's head": "trocar to the screw's head",
    "trocar to the screw's tip": "trocar to the screw's tip",
    "trocar to the lesion": "trocar to the lesion",
    "cement": "cement",
    "cement at the screw's head": "cement at the screw's head",
    "cement at the screw's tip": "cement at the screw's tip",
    "bone": "bone",
    "healthy bone": "healthy bone",
    "no bone": "no bone",
    "complications of cryoablation": "complications of cryoablation",
    "prone": "prone",
    "supine": "supine",
    "lateral": "lateral",
    "navigated": "navigated",
    "freehand": "freehand",
    "thaw and removal": "thaw and removal",
}

CHECKS = {
    "wire_through_screw": "Wire passes the screw's cannula",
    "wire_through_trocar": "Wire passes the trocar's lumen",
    "nerve_to_protect": "Nerve that wants protection",
    "embolic_agent": "Embolic agent",
    "oil_in_lesion": "Ethiodized oil in the lesion, share of its volume",
    "nerve_clearance_hard": "Distance to a nerve, hard limit",
    "nerve_clearance_soft": "Distance to a nerve, soft limit",
    "coverage_planned_0_degC": "Planned share of the lesion colder than 0 °C",
    "coverage_planned_-20_degC": "Planned share of the lesion colder than −20 °C",
    "coverage_planned_-40_degC": "Planned share of the lesion colder than −40 °C",
    "coverage_planned_coagulated": "Planned share of the lesion coagulated, by both models of dose",
    "heating_setting_sure": "Setting of the console known for certain",
    "nerve_maximum_temperature_planned": "Highest temperature of a nerve, as predicted while planning",
    "structure_maximum_temperature_planned": "Highest temperature of another structure, as predicted while planning",
    "skin_burn_planned": "Damage of the skin by heat, as predicted while planning",
    "temperature_reached_planned": "Temperature set at the console, reached as predicted while planning",
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
    "placement_found": "A place was found",
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
    "bone_border_planned": "Planned lethal share of the lesion's border with bone",
    "margin_planned": "Planned share of the curative margin in ice",
    "margin_planned_coagulated": "Planned share of the curative margin that heat kills",
    "robust_coverage_lethal": "Lethal share of the lesion that 95 % of the samples reach",
    "robust_coverage_0_degC": "Share of the lesion in ice that 95 % of the samples reach",
    "robust_limits": "Share of the samples that keep every limit of temperature",
    "nerve_minimum_temperature_planned": "Lowest temperature of a nerve, as predicted while planning",
    "cord_minimum_temperature": "Lowest temperature of the cord or thecal sac",
    "skin_minimum_temperature": "Lowest temperature of the skin",
    "bowel_minimum_temperature": "Lowest temperature of the bowel",
    "bladder_minimum_temperature": "Lowest temperature of the bladder",
    "ureter_minimum_temperature": "Lowest temperature of the ureter",
    "nerve_maximum_temperature": "Highest temperature of a nerve",
    "cord_maximum_temperature": "Highest temperature of the cord or thecal sac",
    "skin_maximum_temperature": "Highest temperature of the skin",
    "bowel_maximum_temperature": "Highest temperature of the bowel",
    "bladder_maximum_temperature": "Highest temperature of the bladder",
    "ureter_maximum_temperature": "Highest temperature of the ureter",
    "organ_maximum_temperature": "Highest temperature of an organ",
    "lung_maximum_temperature": "Highest temperature of the lung",
    "pleura_maximum_temperature": "Highest temperature of the pleura",
    "joint_maximum_temperature": "Highest temperature of a joint",
    "skin_burn": "Damage of the skin by heat",
    "minimal_heat_margin": "Smallest margin of the heat-killed zone",
    "tissue_electrical_values": "Tissue without known electrical values",
    "probe_in_tissue": "Working part within tissue",
    "lattice_resolves_probe": "Cells of the lattice along the working part",
    "ice_skin_distance": "Distance from the ice to the skin",
    "ice_joint_distance": "Distance from the ice to a joint",
    "visible_ice_coverage": "Share of the lesion within the visible ice",
    "lethal_coverage": "Share of the lesion within the lethal zone",
    "minimal_ice_margin": "Smallest margin of the ice",
    "energy_residual": "Residual of the energy balance",
    "grid_refinement": "Change of the zone on a finer grid",
    "step_simulated": "Step simulated",
    "cavity_temperature_for_cement": "Temperature of the cavity when the cement arrives",
    "protection_layer_volume": "Fluid that a protective layer takes",
    "cement_setting_time": "Time from the injection until the cement has set",
    "cement_set_from_mixing": "Time from the start of mixing until the cement has set",
    "nerve_temperature_beside_cement": "Highest temperature of a nerve beside curing cement",
    "cord_temperature_beside_cement": "Highest temperature of the cord beside curing cement",
    "cement_clock": "Injection within the cement's working time",
    "cement_into_cold_tissue": "Temperature of the cavity when the cement arrives",
    "order_of_steps": "Steps that come before one that must precede them",
    "session_time": "Session within the time that was given",
    "cement_front_distance": "Distance of the cement's front to a foramen, the canal or a joint",
    "cement_volume": "Cement volume",
    "cement_volume_in_bone": "Cement volume within bone",
    "cement_stop_volume": "Injected volume at which to stop the cement",
    "cement_leak_breach": "Cement leaking through the cortex",
    "cement_leak_foramen": "Cement leaking to a nerve",
    "cement_leak_canal": "Cement leaking into the canal",
    "cement_leak_vein": "Cement leaking into a vessel",
    "cement_leak_joint": "Cement leaking into a joint",
    "cement_leak_edge": "Cement leaving the simulated box",
    "cement_injection_pressure": "Pressure of the cement injection",
    "trocar_short_of_screw_tip": "Gap between the trocar and the screw's tip",
    "probe_root_clearance": "Distance of a probe to a root",
    "probe_spacing": "Distance between probes",
    "step_left_out": "Instruments left in the step",
    "registration_residual": "Residual of the registration",
    "control_not_mirrored": "Likeness of control and plan, above that of the mirror image",
    "control_is_another_image": "Control CT of its own",
    "tip_error": "Error of the tip",
    "angle_error": "Error of the angle",
    "ice_seen": "Ice seen on the control CT",
    "ice_visible": "Share of the predicted ice that CT can show",
    "ice_margin": "Smallest margin of the seen ice, lower end of its interval",
    "control_voxel_size": "Voxel size of the control CT",
    "model_update": "Model fitted to the control CT",
    "nerve_clearance": "Distance to a nerve",
    "vessel_clearance": "Distance to a vessel",
    "organ_clearance": "Distance to an organ",
    "joint_clearance": "Distance to a joint",
    "implant_clearance": "Distance to an implant",
    "corridor_width": "Width of the bone corridor",
    "screw_anchor": "Anchorage in healthy bone",
    "screw_breach": "How far the screw leaves the bone",
    "guidance": "Placement error kept free",
    "gantry_clearance": "Hub clear of the scanner's bore",
    "patient_position": "Out of reach in the patient's position",
    "cement_room": "Room for cement in bone",
    "needle_through_coaxial": "Needle or probe passes the coaxial needle or trocar",
    "instrument_length": "Length of the instrument suffices",
    "host_bone": "Bone that holds the lesion",
    "skin_distance": "Distance to the skin's surface",
    "vascularity": "Vascularity of the lesion",
    "load_to_strength": "Load over strength of the bone as planned, the worst activity",
    "section_rigidity": "Rigidity that the weakest section of the bone keeps",
}

HOT_ZONES = {
    "omega_1": "Arrhenius damage of 1",
    "cem43_240": "240 equivalent minutes at 43 °C",
    "60_degC": "hotter than 60 °C",
}

CAVEATS = {
    "bone_conductivity_uncertain": "The heat conductivity of bone is uncertain.",
    "skin_at_rest_37_degC": "The skin is taken at 37 °C before the freeze; it is cooler in reality.",
    "tumor_perfusion_prior": "The tumor's perfusion is a prior, not measured.",
    "vascularity_unknown": "The vascularity of the lesion is unknown.",
    "ct_ends_within_the_simulated_box": "The CT ends within the simulated box; beyond it tissue is assumed.",
    "vessels_not_segmented": "No vessel is segmented: the heat that vessels bring is not simulated.",
    "cement_flow_prior": "How easily bone lets cement through, and how cement thickens, are priors.",
    "cement_curing_prior": "How cement cures, and the heat it gives off, are a prior.",
    "layer_even_around_its_structure": "A protective layer is taken as even around its structure.",
    "embolization_prior": "How much perfusion an embolization leaves is a prior.",
    "oil_spread_evenly": "Ethiodized oil is taken as spread evenly in the lesion; its heat properties are a prior.",
    "oil_share_from_ct": "Ethiodized oil in the lesion is read from the CT number; its heat properties are a prior.",
    "oil_or_bone": "The lesion was embolized with oil and is not lytic: what is bright is taken as bone, not as oil.",
    "array_shape_prior": "The shape of the array's tines is a prior.",
    "antenna_prior": "How much of a microwave antenna's power reaches tissue is a prior.",
    "electrode_cooling_not_simulated": "The cooling within the electrode is not simulated.",
    "coolant_prior": "The temperature at which coolant keeps the electrode's metal is a prior.",
    "dispersive_pad_far_away": "The dispersive pad is taken as far away, in all directions.",
    "model_prior": "The cold of a probe without isotherm table is a prior.",
}

_HEAT = "bioheat with freezing on an enthalpy lattice; needles by Gaussian-line exchange"
_SOURCES = "heat by the quasi-static field of electrodes and the template of an antenna"
MODELS = {name: name for name in (_HEAT, f"{_HEAT}; {_SOURCES}")}

SESSION_PARTS = {"cavity": "cavity", "session": "session"}
