"""Every exception trocar raises on purpose.

TrocarError              .hint says what to do next; .exit_code is the command line's
├── InputError           2  what was given cannot be used
│   ├── ReadError        2  a file is missing, truncated or of another kind
│   ├── GeometryError    2  the image's grid is not a volume in patient space
│   ├── CaseError        2  the case contradicts itself or holds an impossible value
│   └── CatalogError     2  a catalog or rule file is malformed
├── PlanningError        3  no admissible plan exists; says which constraint excludes it
├── SolverError          4  the numerics failed
└── DossierError         5  the folder is damaged, incomplete or too new
"""


class TrocarError(Exception):
    """Base of all deliberate errors: a message that says what is wrong and a hint that says what to do next."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class InputError(TrocarError):
    exit_code = 2


class ReadError(InputError):
    pass


class GeometryError(InputError):
    pass


class CaseError(InputError):
    pass


class CatalogError(InputError):
    pass


class PlanningError(TrocarError):
    exit_code = 3


class SolverError(TrocarError):
    exit_code = 4


class DossierError(TrocarError):
    exit_code = 5
