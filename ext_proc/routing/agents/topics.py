"""Topics: related words of everyday requests. Data for the built-in router.

Users ask "will it rain?" and descriptions say "weather": without a model nothing else connects the two. An agent whose name or
description contains one of a topic's names also matches the topic's words and hints. Limited to common subjects and
common words on purpose: specific words belong in an agent's description.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Topic:
    """One subject."""

    names: tuple[str, ...]
    """Words that, in an agent's own text, mean that it covers the subject."""
    words: tuple[str, ...]
    """Words of users that mean the subject."""
    hints: tuple[str, ...] = ()
    """Words that may mean it: two of them count as much as one word."""


def _topic(names: str, words: str, hints: str = "") -> Topic:
    return Topic(tuple(names.split()), tuple(words.split()), tuple(hints.split()))


TOPICS: Final = (
    _topic(
        "weather meteorology",
        "rain rainy raining snow snowy snowing sun sunny sunshine cloud cloudy overcast fog foggy wind windy storm stormy "
        "thunder thunderstorm hurricane typhoon tornado blizzard hail drizzle humid humidity temperature degrees celsius "
        "fahrenheit forecast climate hot cold warm chilly freezing heatwave umbrella raincoat coat jacket sunscreen uv wet dry "
        "precipitation sunrise sunset monsoon ☀ ☁ ☂ ☔ ⛅ ⛈ ❄ 🌞 🌡 🌤 🌥 🌦 🌧 🌨 🌩 🌪 🌬",
        "outside wear pack outdoor picnic hike beach season",
    ),
    _topic(
        "flight airline airport aviation",
        "fly flying plane airplane aeroplane jet airline airport depart departure departing arrive arrival landing "
        "takeoff layover stopover nonstop boarding runway gate terminal aircraft airfare heathrow jfk lax iata ✈ 🛫 🛬 "
        "from…to",
        "land leave ticket delay delayed seat luggage baggage connection connecting cancelled trip travel direct route",
    ),
    _topic(
        "currency forex",
        "money exchange convert conversion euro dollar pound sterling yen yuan rupee peso franc krona won lira usd eur "
        "gbp jpy cad aud chf cny inr mxn cash fx $ € £ ¥ ₹ 💱 💵 💶 💷 💴",
        "worth rate bucks buy value",
    ),
    _topic(
        "hotel accommodation lodging",
        "hotel hostel room motel airbnb resort accommodation lodging suite checkin checkout stay 🏨",
        "bed breakfast sleep",
    ),
    _topic(
        "restaurant dining recipe cooking food",
        "restaurant eat dinner lunch breakfast cuisine menu recipe cook cooking bake meal dish vegetarian vegan pizza "
        "sushi hungry",
        "food table reservation taste ingredient",
    ),
    _topic(
        "billing payment invoice",
        "bill billed billing invoice charge charged overcharged payment pay paid receipt subscription credit debit vat "
        "prepaid fee 💳",
        "card money plan price expensive cost twice",
    ),
    _topic(
        "refund reimbursement",
        "refund refunded reimburse reimbursement money chargeback",
        "broken wrong",
    ),
    _topic(
        "shipping shipment delivery logistics",
        "ship shipping shipment deliver delivery delivered courier parcel package tracking arrived dispatch 📦",
        "order late lost address arrive track",
    ),
    _topic(
        "password login authentication",
        "password login logon credentials locked username 2fa mfa otp reset",
        "account email access profile sign log forgot",
    ),
    _topic(
        "technical troubleshooting bug outage debugging diagnostics",
        "bug crash crashes crashing broken outage timeout exception traceback stacktrace debug malfunction freeze glitch "
        "slow unresponsive 500 502 503 504",
        "error fail failing failed problem issue fix latency",
    ),
    _topic(
        "sales pricing",
        "price pricing buy purchase quote discount upgrade demo enterprise trial",
        "plan cost license seats cheap subscribe",
    ),
    _topic(
        "coding programming programmer software developer coder",
        "code coding program programming function class method compile compiler python java javascript typescript rust "
        "golang c++ c# ruby php kotlin swift bug debug refactor algorithm regex unittest git snippet loop recursion "
        "variable",
        "script error exception test library implement string array",
    ),
    _topic(
        "sql database",
        "sql database table query select join index postgres postgresql mysql sqlite mongodb schema column row aggregate",
        "count revenue top average total per",
    ),
    _topic(
        "documentation docs manual",
        "documentation docs manual guide handbook tutorial faq readme",
        "document explain section install configure",
    ),
    _topic(
        "calendar meeting appointment",
        "calendar meeting appointment reschedule invite event agenda availability remind reminder slot",
        "schedule book cancel free busy",
    ),
    _topic(
        "email inbox mail",
        "email inbox mail reply unread attachment newsletter draft 📧 ✉",
        "send message subject",
    ),
    _topic(
        "translation translate translator",
        "translate translation english spanish french german italian chinese japanese portuguese korean arabic",
        "language word phrase say mean",
    ),
    _topic(
        "math maths mathematics calculator arithmetic calculus",
        "calculate compute sum multiply divide equation integral derivative algebra geometry sqrt percentage percent solve",
        "number plus minus times root",
    ),
    _topic(
        "legal law lawyer contract compliance",
        "legal law lawsuit lawyer attorney contract clause liability gdpr nda sue court copyright trademark",
        "agreement sign rights terms",
    ),
    _topic(
        "hr payroll",
        "salary payslip payroll payday vacation holiday pto leave maternity paternity parental onboarding benefits sick",
        "pay days off manager request",
    ),
    _topic(
        "investment investing trading portfolio",
        "stock stocks share shares invest investment portfolio dividend etf bond crypto bitcoin nasdaq ticker 📈 📉",
        "market price buy sell",
    ),
    _topic(
        "health medical doctor medicine healthcare symptom",
        "doctor symptom pain headache fever medicine medication diagnosis disease prescription dose cough allergy",
        "sick hurt treatment feel",
    ),
    _topic(
        "music song playlist",
        "song music playlist album singer band concert lyrics 🎵 🎶",
        "play listen artist",
    ),
    _topic(
        "creative poetry copywriting poem",
        "write poem poetry story essay rewrite proofread rhyme haiku lyrics blog slogan grammar",
        "text draft paragraph words tone",
    ),
    _topic(
        "news headlines journalism",
        "news headline article election politics",
        "happened latest",
    ),
    _topic(
        "sports football soccer basketball",
        "football soccer basketball tennis baseball match score league goal ⚽ 🏀 🎾",
        "game team win",
    ),
    _topic(
        "image picture photo drawing illustration",
        "image picture photo draw drawing illustration logo render paint 🎨",
        "color style generate",
    ),
    _topic(
        "train rail railway",
        "train rail railway station platform amtrak eurostar 🚆 🚄",
        "ticket delay from…to depart arrive",
    ),
)
