"""The tree drawn in `trocar.errors` is the tree."""

import inspect
import re

from trocar import errors


def drawn_tree() -> dict[str, tuple[str | None, int | None]]:
    """{class: (parent, exit code)} as the module's docstring draws it."""
    tree: dict[str, tuple[str | None, int | None]] = {}
    ancestors: list[str] = []
    for line in inspect.cleandoc(errors.__doc__ or "").splitlines():
        found = re.match(r"^([│├└─ ]*)(\w+Error)\s+(\d)?", line)
        if not found:
            continue
        depth = len(found[1]) // 4
        ancestors = [*ancestors[:depth], found[2]]
        tree[found[2]] = (ancestors[depth - 1] if depth else None, int(found[3]) if found[3] else None)
    return tree


def actual_tree() -> dict[str, type[errors.TrocarError]]:
    classes = [c for _, c in inspect.getmembers(errors, inspect.isclass)]
    return {c.__name__: c for c in classes if issubclass(c, errors.TrocarError)}


def test_every_error_is_drawn_where_it_is():
    actual = actual_tree()
    drawn = drawn_tree()
    assert drawn.keys() == actual.keys()
    for name, (parent, exit_code) in drawn.items():
        if parent is not None:
            assert actual[name].__base__.__name__ == parent
        if exit_code is not None:
            assert actual[name].exit_code == exit_code


def test_exit_codes_are_those_of_the_contract():
    codes = {name: error.exit_code for name, error in actual_tree().items()}
    assert {codes[n] for n in ("ReadError", "GeometryError", "CaseError", "CatalogError", "InputError")} == {2}
    assert (codes["PlanningError"], codes["SolverError"], codes["DossierError"]) == (3, 4, 5)
