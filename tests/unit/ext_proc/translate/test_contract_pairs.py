"""The control plane builds routes for exactly the pairs that are translated."""

from ext_proc.contract import TRANSLATIONS
from ext_proc.translate.registry import PAIRS


def test_the_contract_names_every_pair() -> None:
    assert {(client, upstream) for client, others in TRANSLATIONS.items() for upstream in others} == set(PAIRS)


def test_no_pair_is_named_twice() -> None:
    assert all(len(set(others)) == len(others) for others in TRANSLATIONS.values())
