"""What a reader knows of English before it reads: words that carry no meaning, words alike, kinds of things."""

from __future__ import annotations

from enum import Enum


def word_set(text: str) -> frozenset[str]:
    """The words of a text, each once."""
    return frozenset(text.split())


#: Words that tell nothing of what is asked.
IDLE = word_set(
    """
    a about after all also an and another any are as at for from be been before being both but by can did do does during
    each had has have he her his how i if in into is it its itself just like name named of off on one or other
    out over s same she so some such than that the their them then there these they this those through to under up
    used was were what when where which while who whom whose why will with would you one's called
    """
)

#: Words that begin a sentence or a question with a capital and are no part of a name.
STARTERS = word_set(
    """
    a after although an and are as at before between both but by can did do does during following for from had has have
    he her his how if in is it its name of on one or since she so that these they this those though to under was were
    what when where which while who whom whose why with would there their then of both which's whats due despite
    """
)

_ALIKE = """
write author wrote written writer writes novelist penned playwright
direct director directed directs filmmaker
compose composer composed composes
paint painter painted paints
found founder founded founding established establish establishes formed form forming created creator create co-founded
    cofounded co-founder
birth born birthplace native birthday births
death died dies dead die passed deceased
marry married wife husband spouse marries wed
play played plays player playing
study studied studies attended attend attends educated alumnus alumna alumni graduated graduate graduating alma degree
teach taught teacher teaches
coach coached coaches train trained trains trainer manager managed manages head-coach
locate located situated lies lie stands stand based base headquarters headquartered headquarter comes come office
    hometown belongs belong part
people inhabitants population residents populous populated
star starred starring stars lead leading leads
sing singer vocalist sung sang vocals frontman frontwoman fronted fronts sings
act actor actress acted acts
invent inventor invented invents invention
design designer designed architect designs
build built builder construct constructed construction completed builds
release released releases
publish published publisher publishes publication
open opened opens opening inaugurated
tall height taller tallest high higher highest elevation
long length longer longest
large larger largest biggest bigger area size
old older oldest age
earn won win winner winning winners wins awarded award awards prize received medal
perform performed performer performs
record recorded records recording label
produce produced producer produces
nation nationality country countries
stadium ground arena venue
city town village
school college university
band group
film movie films movies
song single songs singles
album albums
book novel books novels
flow flows
mouth sea
set setting story takes
source rises rise spring
capital capitals
led leader headed heads
job occupation profession work works worked
discover discovered discoverer discovers
child son daughter children sons daughters
parent father mother
sibling brother sister
member members
ten-year begin began begins started start starts beginning
america american u.s usa u.s.
england english
"""

#: Other words without a capital that are no part of a name of a thing.
NO_NOUNS = word_set(
    """
    best known kind type sort became become becomes works work worked wear wears made make makes play plays played
    used often mostly
    most first second last early long well many few much little several own every together usually described describe
    describes called considered famous old new good great main other usual concerns published play can any
    time years year later today now two three four five six seven eight nine ten since until without within
    including due because though although once twice still even ever never always again among between against
    """
)


def _alike(text: str) -> dict[str, str]:
    keys: dict[str, str] = {}
    lines: list[str] = []
    for line in text.strip("\n").split("\n"):
        if line.startswith(" "):
            lines[-1] += line
        else:
            lines.append(line)
    for line in lines:
        first, *rest = line.split()
        for word in (first, *rest):
            keys.setdefault(word, first)
    return keys


#: Key of the words that mean much the same, by word.
ALIKE = _alike(_ALIKE)


class Kind(Enum):
    """What sort of answer a question wants."""

    PERSON = "person"
    PLACE = "place"
    YEAR = "year"
    DATE = "date"
    NUMBER = "number"
    NATIONALITY = "nationality"
    NAME = "name"  # of a work, a team, a company, …
    THING = "thing"  # without a capital: a profession, a genre, an instrument
    YES_NO = "yes or no"


_KINDS = {
    Kind.PERSON: """
        person man woman author writer novelist poet playwright director filmmaker actor actress singer musician
        composer guitarist drummer bassist vocalist rapper founder cofounder co-founder inventor architect designer
        painter sculptor artist photographer player footballer quarterback coach manager captain president king queen
        emperor leader politician minister senator governor mayor general scientist physicist chemist biologist
        mathematician astronomer philosopher historian engineer explorer producer screenwriter comedian model host
        presenter journalist editor owner chairman ceo father mother son daughter brother sister wife husband spouse
        widow uncle aunt cousin teacher student pupil mentor champion winner star protagonist character lawyer judge
        saint bishop pope prophet wrestler boxer golfer driver racer cyclist swimmer skier athlete dancer conductor
        pianist violinist creator developer partner botanist geologist cartographer astronaut aviator navigator
        builder brewer baker merchant critic translator librarian scholar professor surgeon doctor
    """,
    Kind.PLACE: """
        city town village country state province county region continent island place district capital location
        birthplace hometown territory river lake mountain sea ocean valley neighborhood suburb borough municipality
        nation kingdom area street county harbour bay coast
    """,
    Kind.YEAR: "year",
    Kind.DATE: "date day birthday",
    Kind.NUMBER: """
        minutes pages students employees population number height elevation length area size age capacity amount
        percentage
    """,
    Kind.NATIONALITY: "nationality ethnicity descent origin",
    Kind.NAME: """
        band group team club company firm organization organisation corporation publisher label network studio station
        university college school institute academy museum gallery theatre theater stadium arena venue building bridge
        airport film movie book novel poem play opera musical album song single show series magazine newspaper journal
        award prize medal league party war battle newspaper brand ship orchestra choir foundation hospital church
        language cathedral temple library hotel park festival game software franchise airline agency department office
        championship tournament cup competition event trilogy work painting sculpture symphony ballet observatory
        laboratory brewery bank castle palace tower mine dam canal railway line house program programme title name
        surname nickname pseudonym alias
    """,
    Kind.THING: """
        genre profession occupation job instrument sport type kind religion color colour material style
        position field subject species family genus industry role animal plant month holiday century format category
        food drink dish crop metal mineral stone element method discipline
        research craft product products currency colours colors music
    """,
}

#: Kind of answer by the noun that asks for it.
NOUNS = {noun: kind for kind, nouns in _KINDS.items() for noun in nouns.split()}

#: What to look up for what is asked, by stem: parts of words, since a lookup finds those too.
LOOKED_UP = {
    "birth": ("born", "native"),
    "death": ("died",),
    "study": ("studied", "graduate", "degree"),
    "found": ("founded", "founder", "formed"),
    "people": ("population",),
    "direct": ("directed", "director"),
    "write": ("written", "author", "wrote"),
    "star": ("lead", "star"),
    "earn": ("award", "won"),
    "publish": ("published",),
    "release": ("released",),
    "tall": ("tall", "elevation", "height"),
    "large": ("area",),
    "long": ("long", "length"),
    "live": ("live",),
}
