"""Orders the models of a preference by their prices or latencies."""

from collections.abc import Callable, Sequence

from ext_proc.routing.models.measures import Measures
from ext_proc.routing.models.preferences import Prefer
from ext_proc.routing.models.resolve import ResolvedModel


def rank(models: Sequence[ResolvedModel], prefer: Prefer, measures: Measures) -> tuple[ResolvedModel, ...]:
    """Return models best first: unknown ones come last, and equal ones stay as declared."""
    if not prefer:
        return tuple(models)
    measure: Callable[[ResolvedModel], float | None] = measures.cost if prefer == "cheapest" else measures.latency
    known = [(value, model) for model in models if (value := measure(model)) is not None]
    measured = {model.name for _, model in known}
    ranked = [model for _, model in sorted(known, key=lambda pair: pair[0])]
    return (*ranked, *(model for model in models if model.name not in measured))
