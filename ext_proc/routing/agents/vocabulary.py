"""Words that do not distinguish agents. Data for the built-in router.

English, because most agents are described in it; in other languages rarity among the descriptions has a similar effect, only
weaker.
"""

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


STOP_WORDS: Final = _words(
    """
    a able about above across actually after afternoon again against agent agents ai ain all almost also although always am
    among an and another any anybody anyone anything april are aren around as ask assistant assistants at august away back
    be because been before being below best better between big bot both bots but by came can cannot capabilities capability
    come could couldn d december dedicated designed did didn do doe does doesn doing don done down during each either else
    etc even evening ever every everyone everything expert experts february few first for friday from further get gets
    getting give given gives go goe goes going gonna good got gotta great had hadn handle handles handling has hasn have
    haven having he hear heard hello helper helpers her here hers hey hi him his hour how however i if in include includes
    including instead into is isn it its january july june just kind know last let lets like little ll long look looking lot
    m made make makes many march may maybe me mean might mine minute moment monday month more morning most much must mustn
    my near need needed needs neither never new nice night no nobody none nor not nothing november now october of off often
    oh ok okay old on once one only onto or other others our ours out over own per perhaps please possible possibly provide
    provides providing put quite rather re really responsible right s said same saturday say see seem september several
    shall shan she short should shouldn show shows since small so some somebody someone something somewhere soon specialised
    specialist specialists specialized still such sunday sure t take takes tell than thank thanks that the their them then
    there these they thing think this those though through thursday thus to today tomorrow tonight too tool tools toward try
    trying tuesday two under until up upon us use used uses using usually various ve very via wanna want wants was wasn way
    we wednesday week weekend well went were weren what whatever when whenever where whether which while who whoever whole
    whom whose why will with within without won would wouldn yeah year yes yesterday yet you your yours
    """
)
"""Stop words on both sides."""

WEAK_WORDS: Final = _words(
    """
    accurate actual additional advanced amount answer api app application area assist assistance automatically available
    based basic broad call case check cities city clear code codes common company complete complex condition conditions
    contain content context conversation correct cost countries country create current currently customer customers daily
    data date dates day days deal default detail detailed details different difficult direct discuss display do document
    easy end ensure error example explain extract fast find follow free full general generic group guide handle help helpful
    high human idea improve incoming individual info inform information initial input inquiries inquiry interest internal
    issue issues item items job key kind language large latest level line list live local location locations low main manage
    management matter message messages multi multiple name names natural next number offer official open option output page
    pair part people person place places plan point powered present previous problem problems process product products
    professional prompt provider public queries query question questions quick rate rates real reference regular related
    request requests require resolve resource response result results review run scheduled search section select service
    services set setup simple single smart solution source special specific standard start state status step steps suggest
    supply support supports system systems task tasks team term text time times topic topics type types understand update
    updates user users value version view work works world worldwide
    """
)
"""Content words that are common in descriptions: a match adds little, and never decides alone."""

IRREGULAR_STEMS: Final = {
    "flew": "fly",
    "flown": "fly",
    "paid": "pay",
    "bought": "buy",
    "sold": "sell",
    "sent": "send",
    "wrote": "write",
    "written": "write",
    "spent": "spend",
    "left": "leave",
    "taught": "teach",
    "ate": "eat",
    "eaten": "eat",
    "froze": "freeze",
    "frozen": "freeze",
    "people": "person",
    "children": "child",
    "news": "news",
    "series": "series",
    "does": "do",
    "always": "always",
    "gas": "gas",
    "plus": "plus",
    "bus": "bus",
    "aws": "aws",
    "dns": "dns",
    "ios": "ios",
    "kubernetes": "kubernetes",
}
"""Exceptions of the stemmer."""
