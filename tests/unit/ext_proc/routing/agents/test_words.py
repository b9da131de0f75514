import pytest
from hypothesis import given
from hypothesis import strategies as st

from ext_proc.routing.agents import words
from ext_proc.routing.agents.words import FROM_TO, family_of, plain_stem, stem_of, stems_of, words_of


@pytest.mark.parametrize(
    "forms",
    [
        "flight flights",
        "currency currencies",
        "convert converts converting converted",
        "price prices pricing priced",
        "plan plans planning planned",
        "ship ships shipping shipped",
        "hire hires hiring hired",
        "change changes changing changed",
        "exchange exchanges exchanging",
        "arrive arrives arriving arrived",
        "book books booking booked",
        "fly flies flying flew flown",
        "delay delays delayed",
        "box boxes",
        "crash crashes crashing",
        "bill bills billing billed",
        "pass passes passing",
        "pay pays paid paying",
    ],
)
def test_forms_of_a_word_have_one_stem(forms: str) -> None:
    assert len({plain_stem(form) for form in forms.split()}) == 1


@pytest.mark.parametrize(
    "words",
    ["plane plan", "news new", "rain ran", "status state", "paris pari", "king k", "string str", "currency current", "ring r"],
)
def test_different_words_keep_different_stems(words: str) -> None:
    assert len({plain_stem(word) for word in words.split()}) == 2


@pytest.mark.parametrize("words", ["allergy allergen", "counsellor counsell", "departure depart", "translator translation"])
def test_relatives_share_a_family(words: str) -> None:
    assert len({family_of(plain_stem(word)) for word in words.split()} - {""}) == 1


def test_words_of_many_scripts() -> None:
    assert words_of("What's C++ vs C#? Météo: 20€ ☔️") == ["what", "s", "c++", "vs", "c#", "meteo", "20", "€", "☔"]
    assert words_of("今天天气") == ["今天", "天天", "天气"]
    assert words_of("Wi-Fi e-mail state-of-the-art") == ["wifi", "email", "state", "ofthe", "art"]


def test_stems_know_where_they_were_first_said() -> None:
    assert stems_of(words_of("Weather? The flights, the weather!")) == {"weather": 0, "flight": 2}


@pytest.mark.parametrize("text", ["from Oslo to Rome", "get there from Oslo", "flights from Oslo to Rome"])
def test_a_way_between_two_places_is_seen(text: str) -> None:
    assert FROM_TO in stems_of(words_of(text))


def test_verbs_with_a_particle() -> None:
    assert "login" in stems_of(words_of("I cannot log in"))
    assert "login" not in stems_of(words_of("show me the log of yesterday in full"))


@given(st.text())
def test_any_text_has_words_and_stems(text: str) -> None:
    words = words_of(text)
    assert all(position < len(words) for position in stems_of(words).values())


@given(st.text(alphabet=st.characters(max_codepoint=127), max_size=80))
def test_words_are_the_same_with_and_without_signs_in_the_text(text: str) -> None:
    assert words_of(f"{text} $") == [*words_of(text), "$"]


def test_a_word_longer_than_any_is_not_kept() -> None:
    before = words._stem_of.cache_info().currsize
    assert stem_of("x" * 4096) == ""
    assert words._stem_of.cache_info().currsize == before
