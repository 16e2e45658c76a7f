"""How long each technique takes, in minutes, with where the figure comes from."""

from trocar.catalog.timing import timing
from trocar.model.treatment import Duration, Technique

EMBOLIZATION = timing("EMBOLISE").duration
BIOPSY_BONE = timing("BIOPSY").duration
BIOPSY_SOFT_TISSUE = timing("BIOPSY", "soft_tissue").duration
PROTECTION = timing("PROTECT").duration
PROBE_PLACEMENT_MIN = 5.0  # per probe with its control image, design
SCREW = Duration(low=20, typical=30, high=62)  # R-l, V70; its wire included
CEMENT = Duration(low=11, typical=18, high=25)  # V46 handling, V48 setting


def freezing(probes: int, protocol_s: float) -> Duration:
    """An ablation's duration: the placement of its probes and the protocol."""
    placing = probes * PROBE_PLACEMENT_MIN
    active = protocol_s / 60.0
    return Duration(low=0.6 * placing + active, typical=placing + active, high=1.8 * placing + active + 10.0)


def heating(applicators: int, protocol_s: float) -> Duration:
    """An ablation by heat: the placement of its applicators and the protocol, which a roll-off may end early."""
    placing = applicators * PROBE_PLACEMENT_MIN
    active = protocol_s / 60.0
    return Duration(low=0.6 * placing + 0.5 * active, typical=placing + active, high=1.8 * placing + active + 5.0)


def heating_unplaced(technique: Technique) -> Duration:
    """What a technique usually takes, for a step that found no place."""
    return timing("ABLATE", str(technique)).duration
