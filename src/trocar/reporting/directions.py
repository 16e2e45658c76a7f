"""Which way a check's limit counts: the least value that is good, or the most. A verdict alone would not tell."""

import re
from typing import Literal

Sign = Literal["≥", "≤", "<", ""]

AT_LEAST = frozenset((
    "bladder_minimum_temperature", "bone_border_planned", "bowel_minimum_temperature", "cavity_temperature_for_cement",
    "cement_front_distance", "cement_into_cold_tissue", "cement_room", "cement_stop_volume", "cement_volume",
    "cement_volume_in_bone", "control_not_mirrored", "cord_minimum_temperature", "corridor_width",
    "coverage_planned_-20_degC", "coverage_planned_-40_degC", "coverage_planned_0_degC", "coverage_planned_coagulated",
    "embolic_agent", "heating_setting_sure", "ice_joint_distance", "ice_margin", "ice_skin_distance",
    "implant_clearance", "implant_gap", "instrument_length", "joint_clearance", "lattice_resolves_probe",
    "lesion_within_image", "lethal_coverage", "margin_planned", "margin_planned_coagulated", "minimal_heat_margin",
    "minimal_ice_margin", "nerve_clearance", "nerve_clearance_hard", "nerve_clearance_soft",
    "nerve_minimum_temperature", "nerve_minimum_temperature_planned", "organ_clearance", "placement_found",
    "position_tolerated", "probe_beyond_margin", "probe_in_tissue", "probe_root_clearance", "probe_spacing_min",
    "robust_coverage_0_degC", "robust_coverage_lethal", "robust_limits", "screw_anchor", "screw_anchor_head",
    "screw_anchor_tip", "screw_cortex_clearance", "screw_head_outside_lesion", "screw_tip_outside_lesion",
    "section_rigidity", "skin_minimum_temperature", "temperature_reached_planned", "ureter_minimum_temperature",
    "vessel_clearance", "visible_ice_coverage",
))  # fmt: skip
AT_MOST = frozenset((
    "angle_error", "bladder_maximum_temperature", "bowel_maximum_temperature", "cement_clock",
    "cement_injection_pressure", "cement_leak_breach", "cement_leak_canal", "cement_leak_edge", "cement_leak_foramen",
    "cement_leak_joint", "cement_leak_vein", "cement_setting_time", "control_voxel_size", "cord_maximum_temperature",
    "cord_temperature_beside_cement", "energy_residual", "gantry_clearance", "grid_refinement",
    "joint_maximum_temperature", "left_right_labels", "lesion_pieces", "load_to_strength", "lung_maximum_temperature",
    "needle_length", "needle_through_coaxial", "nerve_maximum_temperature", "nerve_maximum_temperature_planned",
    "nerve_temperature_beside_cement", "order_of_steps", "organ_maximum_temperature", "out_of_plane_angle",
    "pleura_maximum_temperature", "probe_parallel", "probe_spacing_max", "protection_layer_volume",
    "registration_residual", "risk_age_over_70", "risk_more_than_3_probes", "screw_breach", "session_time",
    "skin_maximum_temperature", "structure_maximum_temperature_planned", "tip_error", "tissue_electrical_values",
    "trocar_short_of_screw_tip", "ureter_maximum_temperature", "voxel_size", "wire_through_screw",
    "wire_through_trocar",
))  # fmt: skip
BELOW = frozenset(("incision", "skin_burn", "skin_burn_planned"))  # the limit itself is too much
UNDIRECTED = frozenset((
    "cement_set_from_mixing", "control_is_another_image", "field_of_view", "guidance", "host_bone", "ice_seen",
    "ice_visible", "lesion_side", "model_update", "nerve_to_protect", "oil_in_lesion", "patient_position",
    "probe_spacing", "skin_distance", "step_left_out", "step_simulated", "structure_segmented", "vascularity",
))  # fmt: skip  # without a limit that a number is held against

_ORDER = re.compile(r"order_e\d+")


def sign(name: str) -> Sign:
    """`≥` where a value should be at least its limit, `≤` at most, `<` below; empty where nobody says which."""
    if name in AT_LEAST or _ORDER.fullmatch(name):
        return "≥"
    if name in AT_MOST:
        return "≤"
    return "<" if name in BELOW else ""
