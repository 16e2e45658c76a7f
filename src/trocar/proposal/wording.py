"""What a reader is told, in both languages: values, lists, names of techniques."""

from collections.abc import Iterable, Iterator

from trocar.catalog.conditions import NOT_APPLICABLE, Inputs, Value, deciding
from trocar.catalog.rule import Rule, Ruleset
from trocar.model.treatment import ProposalVerdict, Technique, Text

NAMES = {
    Technique.EMBOLIZATION: Text(en="embolization", fr="embolisation"),
    Technique.BIOPSY: Text(en="biopsy", fr="biopsie"),
    Technique.PROTECTION: Text(en="protection of nearby structures", fr="protection des structures voisines"),
    Technique.CRYOABLATION: Text(en="cryoablation", fr="cryoablation"),
    Technique.RADIOFREQUENCY: Text(en="radiofrequency ablation", fr="radiofréquence"),
    Technique.MICROWAVE: Text(en="microwave ablation", fr="ablation par micro-ondes"),
    Technique.SCREW: Text(en="screws", fr="vis"),
    Technique.CEMENT: Text(en="cement", fr="ciment"),
}

DIGITS = {"mm": 1, "mm²": 0, "ml": 1, "degC": 1, "°C": 1}  # 9.9991 mm reads as 10 mm, not as a French 9,999

VERDICTS = {
    ProposalVerdict.DISCUSS: Text(en="option to discuss", fr="option à discuter"),
    ProposalVerdict.REFER: Text(en="refer first", fr="avis spécialisé d'abord"),
    ProposalVerdict.STOP: Text(en="stop", fr="arrêt"),
    ProposalVerdict.MISSING: Text(en="information missing", fr="information manquante"),
    ProposalVerdict.NONE: Text(en="no interventional option", fr="pas d'option interventionnelle"),
}


def joined(texts: Iterable[Text]) -> Text:
    """Items as a list in a sentence: `a, b and c`."""
    items = list(texts)
    return Text(en=_listed([item.en for item in items], "and"), fr=_listed([item.fr for item in items], "et"))


def sentence(*texts: Text) -> Text:
    """Texts one after the other."""
    return Text(en=" ".join(text.en for text in texts), fr=" ".join(text.fr for text in texts))


def label_of(rules: Ruleset, name: str) -> Text:
    """The name of an input to a reader."""
    return rules.inputs[name].label


def value_text(rules: Ruleset, name: str, value: Value) -> Text:
    """`label: value unit`, or `label: not known`."""
    label = label_of(rules, name)
    shown = _shown(rules, name, value)
    return Text(en=f"{label.en}: {shown.en}", fr=f"{label.fr} : {shown.fr}")


def number(value: float, unit: str) -> Text:
    """A number with its unit, no finer than it is measured; the decimal comma in French."""
    digits = f"{round(value, DIGITS.get(unit, 2)):.12g}"
    tail = f" {unit}" if unit else ""
    french = {" years": " ans", " months": " mois", " d": " j"}.get(tail, tail)
    english = {" d": " days"}.get(tail, tail)
    return Text(en=f"{digits}{english}", fr=f"{digits.replace('.', ',')}{french}")


def word(rules: Ruleset, name: str, item: str) -> Text:
    """One value of a list of words, translated where the rules know it."""
    known = (rules.inputs[name].values or {}).get(item)
    return known or Text(en=item.replace("_", " "), fr=item.replace("_", " "))


def _shown(rules: Ruleset, name: str, value: Value) -> Text:
    match value:
        case None:
            return Text(en="not known", fr="non connu")
        case bool():
            return Text(en="yes", fr="oui") if value else Text(en="no", fr="non")
        case int() | float():
            return number(value, rules.inputs[name].unit)
        case str():
            return word(rules, name, value)
        case tuple():
            if not value:
                return Text(en="none", fr="aucun")
            return joined(word(rules, name, item) for item in value)
        case _:
            return Text(en="not applicable", fr="sans objet")


def _listed(items: list[str], conjunction: str) -> str:
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {conjunction} {items[-1]}"


def with_values(rules: Ruleset, rule: Rule, text: Text, inputs: Inputs) -> Text:
    """A text followed by the values that decided its rule, those behind the problem classes included."""
    names = dict.fromkeys(_deciding_names(rules, rule, inputs))
    shown = joined(value_text(rules, name, inputs[name]) for name in names if _shows(inputs[name]))
    return Text(en=f"{text.en} ({shown.en})", fr=f"{text.fr} ({shown.fr})") if shown.en else text


def _deciding_names(rules: Ruleset, rule: Rule, inputs: Inputs) -> Iterator[str]:
    classes = {item.defines: item for item in rules.classes}
    for test in deciding(rule.when, inputs):
        if test.input in classes:
            yield from _deciding_names(rules, classes[test.input], inputs)
        elif not rules.inputs[test.input].derived:
            yield test.input


def _shows(value: Value) -> bool:
    return value is not None and value is not NOT_APPLICABLE
