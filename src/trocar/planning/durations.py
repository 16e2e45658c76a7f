"""How long each technique takes, in minutes, with where the figure comes from."""

from trocar.model.treatment import Duration

EMBOLIZATION = Duration(low=45, typical=60, high=90)  # R-l
BIOPSY_BONE = Duration(low=2, typical=6, high=13)  # V71d: 6 +- 4 powered, 13 +- 6 manual
BIOPSY_SOFT_TISSUE = Duration(low=5, typical=8, high=13)  # design, by V71d
PROTECTION = Duration(low=7, typical=11, high=18)  # V99, a proxy
PROBE_PLACEMENT_MIN = 5.0  # per probe with its control image, design
SCREW = Duration(low=20, typical=30, high=62)  # R-l, V70
CEMENT = Duration(low=11, typical=18, high=25)  # V46 handling, V48 setting
VERTEBRAL_RADIOFREQUENCY = Duration(low=6.5, typical=10, high=15)  # R-m


def freezing(probes: int, protocol_s: float) -> Duration:
    """An ablation's duration: the placement of its probes and the protocol."""
    placing = probes * PROBE_PLACEMENT_MIN
    active = protocol_s / 60.0
    return Duration(low=0.6 * placing + active, typical=placing + active, high=1.8 * placing + active + 10.0)
