"""The cement's clock: its phases at the room's and the tissue's temperature, and what must happen while it is soft."""

from math import exp

from trocar.model.device import Cement


def working_times_s(cement: Cement, room_degC: float) -> tuple[float | None, float | None]:
    """Seconds from mixing to the end of the liquid and of the paste phase, None where the catalog does not know.

    At another temperature than that of its table, only with a known rate: exponential in the temperature, by V46's two
    points.
    """
    if cement.room_degC is None:
        return None, None
    factor = slowing(cement, room_degC - cement.room_degC)
    return _scaled(cement.liquid_until_s, factor), _scaled(cement.paste_until_s, factor)


def setting_time_s(cement: Cement, tissue_degC: float | None) -> float | None:
    """Seconds from mixing to set in tissue of this temperature; None where that or the cement's is not known."""
    if tissue_degC is None or cement.set_degC is None:
        return None
    return _scaled(cement.set_at_s, slowing(cement, tissue_degC - cement.set_degC))


def slowing(cement: Cement, warmer_K: float) -> float | None:
    """The factor on times when it is this much warmer than in its table; below 1 when warmer. None is not known."""
    if warmer_K == 0.0:
        return 1.0
    return None if cement.rate_frac_per_K is None else exp(-cement.rate_frac_per_K * warmer_K)


def _scaled(time_s: float | None, factor: float | None) -> float | None:
    return None if time_s is None or factor is None else time_s * factor
