"""Which limit of temperature holds for a structure, by what it is; the limits are in limits.toml."""

from trocar.model.case import Role

COLD_LIMIT_OF_ROLE = {
    Role.NERVE: "nerve_min_degC",
    Role.CORD: "nerve_min_degC",
    Role.SKIN: "skin_min_degC",
    Role.BOWEL: "bowel_min_degC",
    Role.BLADDER: "bowel_min_degC",
    Role.URETER: "bowel_min_degC",
}
HOT_LIMIT_OF_ROLE = {
    Role.NERVE: "nerve_max_degC",
    Role.CORD: "nerve_max_degC",
    Role.SKIN: "skin_max_degC",
    Role.BOWEL: "bowel_max_degC",
    Role.BLADDER: "bowel_max_degC",
    Role.URETER: "bowel_max_degC",
    Role.ORGAN: "organ_max_degC",
    Role.LUNG: "organ_max_degC",
    Role.PLEURA: "organ_max_degC",
    Role.JOINT: "organ_max_degC",
}
