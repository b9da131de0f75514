"""The control plane builds routes for exactly the pairs that are translated."""

from ext_proc.translate.registry import PAIRS
from protos.contract.apis import TRANSLATIONS


def test_the_contract_names_every_pair() -> None:
    assert {(client, upstream) for client, others in TRANSLATIONS.items() for upstream in others} == set(PAIRS)


def test_no_pair_is_named_twice() -> None:
    assert all(len(set(others)) == len(others) for others in TRANSLATIONS.values())
