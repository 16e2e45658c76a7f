"""From a CT and its structures to the tissue of every simulated cell."""

from trocar.materials.electrical import INSULATOR_S_PER_M, Electrical, microwave_maps, radiofrequency_map
from trocar.materials.mapping import LIQUIDUS_DEGC, REST_DEGC, SKIN_EXCHANGE_W_PER_M2K, TissueMap, tissue_map

__all__ = [
    "INSULATOR_S_PER_M",
    "LIQUIDUS_DEGC",
    "REST_DEGC",
    "SKIN_EXCHANGE_W_PER_M2K",
    "Electrical",
    "TissueMap",
    "microwave_maps",
    "radiofrequency_map",
    "tissue_map",
]
