"""English phrases that show how a conversation goes, and the search for them.

A text has a phrase if it contains the phrase's words consecutively. A short text also has a phrase if it is similar to it,
for example with a typing mistake.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from ext_proc.signals.texts import STOPWORDS, Text, jaccard, read_text, trigrams

_ALIKE: Final = 0.65
"""Minimum share of common trigrams for a short text to match a phrase."""

_MOST_WORDS: Final = 10
"""Longer texts are not compared as a whole."""


@dataclass(frozen=True, slots=True)
class _Phrase:
    meaning: str
    text: str
    words: tuple[str, ...]
    anchor: int
    """Index of its rarest word, by which it is looked up."""
    trigrams: frozenset[str]


class Phrases:
    """An index of phrases by meaning."""

    def __init__(self, meanings: Mapping[str, str]) -> None:
        """`meanings` has the phrases of each meaning, one a line."""
        self._by_anchor: dict[str, list[_Phrase]] = {}
        self._by_word: dict[str, list[_Phrase]] = {}
        for phrase in _read(meanings):
            self._by_anchor.setdefault(phrase.words[phrase.anchor], []).append(phrase)
            for word in {*phrase.words}:
                self._by_word.setdefault(word, []).append(phrase)
        self._anchors = frozenset(self._by_anchor)

    def find(self, text: Text) -> Mapping[str, str]:
        """Return the meanings of a text, with the matching phrases."""
        found: dict[str, str] = {}
        for word in self._anchors & text.distinct:
            for phrase in self._by_anchor[word]:
                if phrase.meaning not in found and _has(text.words, word, phrase):
                    found[phrase.meaning] = phrase.text
        return found or self._find_alike(text)

    def _find_alike(self, text: Text) -> Mapping[str, str]:
        if not 2 <= len(text.words) <= _MOST_WORDS:
            return {}
        common = Counter(id(phrase) for word in text.distinct for phrase in self._by_word.get(word, ()))
        own: frozenset[str] | None = None
        for word in text.distinct:
            for phrase in self._by_word.get(word, ()):
                # With one mistyped word the others still match.
                if 2 * common[id(phrase)] >= len(phrase.words) and abs(len(phrase.words) - len(text.words)) <= 2:
                    own = own or trigrams(text.words)
                    if jaccard(own, phrase.trigrams) >= _ALIKE:
                        return {phrase.meaning: phrase.text}
        return {}


def _has(words: tuple[str, ...], anchor: str, phrase: _Phrase) -> bool:
    length = len(phrase.words)
    position = words.index(anchor)
    while True:
        start = position - phrase.anchor
        if start >= 0 and words[start : start + length] == phrase.words:
            return True
        try:
            position = words.index(anchor, position + 1)
        except ValueError:
            return False


def _read(meanings: Mapping[str, str]) -> Iterator[_Phrase]:
    for meaning, lines in meanings.items():
        for line in lines.strip().splitlines():
            words = read_text(line.strip()).words
            anchor = max(range(len(words)), key=lambda index: (words[index] not in STOPWORDS, len(words[index])))
            yield _Phrase(meaning, line.strip(), words, anchor, trigrams(words))


PHRASES: Final = Phrases(
    {
        "correction": """
            no i meant
            no i mean
            i actually meant
            what i meant was
            that's not what i meant
            that is not what i meant
            not what i meant
            that's not what i asked
            that is not what i asked
            not what i asked for
            i didn't ask for that
            i didn't ask you to
            that's not what i wanted
            that is not what i want
            not what i was looking for
            that's wrong
            that is wrong
            that's incorrect
            that is incorrect
            that's not right
            that is not right
            that's not correct
            you misunderstood
            you got it wrong
            you got that wrong
            you made a mistake
            you're mistaken
            wrong answer
            i said
            i already told you
            i told you
        """,
        "rephrase": """
            in other words
            let me rephrase
            let me put it differently
            let me put it another way
            to put it another way
            let me say that again
            what i'm trying to say is
            what i'm trying to ask
        """,
        "clarification": """
            what do you mean
            what does that mean
            what is that supposed to mean
            i don't understand
            i do not understand
            i don't get it
            i don't follow
            i'm confused
            i am confused
            this is confusing
            that's confusing
            that makes no sense
            that doesn't make sense
            this doesn't make sense
            can you clarify
            could you clarify
            please clarify
            can you explain that
            could you explain that
            can you be more specific
            could you be more specific
            can you elaborate
            could you elaborate
            what are you talking about
            i'm not sure what you mean
            i'm lost
            not clear to me
        """,
        "escalation": """
            talk to a human
            speak to a human
            speak with a human
            talk with a human
            chat with a human
            talk to a person
            speak to a person
            speak with a person
            talk to a real person
            speak to a real person
            speak with a real person
            talk to someone
            speak to someone
            speak with someone
            talk to somebody
            speak to somebody
            get me a human
            get me a person
            i want a human
            i need a human
            i want a person
            real human
            actual human
            actual person
            human agent
            human being please
            human support
            human representative
            live agent
            live person
            live chat
            live representative
            talk to an agent
            speak to an agent
            speak with an agent
            connect me to an agent
            connect me to a human
            connect me with a human
            connect me with someone
            connect me to someone
            transfer me to
            transfer me now
            put me through to
            talk to a manager
            speak to a manager
            speak with a manager
            talk to your manager
            speak to your manager
            get me your manager
            talk to a supervisor
            speak to a supervisor
            speak with a supervisor
            speak to your supervisor
            talk to your supervisor
            escalate this
            escalate my
            escalate the issue
            please escalate
            contact customer support
            contact customer service
            talk to customer support
            talk to customer service
            speak to customer support
            speak to customer service
            talk to support
            speak to support
            speak with support
            contact support
            technical support please
            customer support please
            customer service please
            call me back
            have someone call me
            a human please
            a person please
            not a bot
            stop talking to a bot
            talk to a representative
            speak to a representative
            speak with a representative
            file a complaint
        """,
        "quit": """
            i give up
            i quit
            i'm giving up
            forget it
            forget about it
            never mind
            nevermind
            i'm done here
            i'm done with this
            i'm leaving
            this is a waste of time
            waste of my time
            this is pointless
            this is hopeless
            this is useless
            this isn't working
            i'll do it myself
            i'll find another way
            i'll go elsewhere
            stop this conversation
            end this conversation
        """,
        "complaint": """
            this is terrible
            this is awful
            this is horrible
            this is ridiculous
            this is unacceptable
            this is frustrating
            this is annoying
            this is stupid
            so frustrating
            very frustrating
            so annoying
            very annoying
            i'm frustrated
            i am frustrated
            i'm annoyed
            i am annoyed
            i'm disappointed
            i am disappointed
            i'm angry
            i'm upset
            i'm fed up
            i am fed up
            sick of this
            tired of this
            you're useless
            you are useless
            you're not helping
            you are not helping
            not helpful
            unhelpful
            that didn't help
            that doesn't help
            this doesn't help
            doesn't work
            does not work
            didn't work
            did not work
            still not working
            still doesn't work
            still broken
            worst service
            terrible service
            bad service
            what's wrong with you
            are you even listening
            are you stupid
        """,
        "profanity": """
            fuck
            fucking
            fucked
            wtf
            what the fuck
            what the hell
            bullshit
            shit
            shitty
            crap
            crappy
            damn it
            dammit
            goddamn
            god damn
            piss off
            pissed off
            asshole
            bastard
            bitch
            screw you
            screw this
            this sucks
            you suck
            idiot
            moron
            dumbass
            stfu
            shut up
        """,
        "gratitude": """
            thank you
            thanks
            thank you so much
            thx
            many thanks
            much appreciated
            i appreciate it
            i appreciate your help
            that's helpful
            that was helpful
            very helpful
            so helpful
            that helps
        """,
        "confirmation": """
            yes exactly
            that's right
            that is right
            that's correct
            that is correct
            exactly right
            sounds good
            that makes sense
            makes sense now
            looks good
        """,
        "success": """
            that worked
            it worked
            it works now
            that works
            problem solved
            that solved it
            that fixed it
            you solved it
        """,
    }
)

POSITIVE_BEGINNINGS: Final = frozenset(
    word
    for line in (
        "yes yeah yep yup sure ok okay great perfect awesome excellent wonderful amazing fantastic nice cool good thanks thank",
        "thx wow",
    )
    for word in line.split()
)
"""Beginnings of friendly messages, even in capitals."""

NOT_MEANT: Final = frozenset({"no", "not", "dont", "doesnt", "didnt", "isnt", "wasnt", "never", "hardly"})
"""Negations."""
