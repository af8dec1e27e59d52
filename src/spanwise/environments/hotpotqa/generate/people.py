"""How articles about people say what they say."""

from __future__ import annotations

from spanwise.environments.hotpotqa.generate.entities import Manner

_INTRODUCTIONS = (
    "{name} is a {nationality} {occupation}.",
    "{name} (born {birth}) is a {nationality} {occupation}.",
    "{name}, born {birth}, is a {occupation}.",
    "{name} is a {occupation} from {country}.",
    "{name} is a {occupation}, and one of the best known of {his} generation.",
)
_FACTS = {
    "birth": (
        "{He} was born on {birth} as the youngest of three children.",
        "Born on {birth}, {he} grew up among five sisters.",
        "The date on which {he} was born is given as {birth}.",
        "According to the parish register, {surname} was born on {birth}.",
    ),
    "birth_town": (
        "{surname} was born in {birth_town}.",
        "{He} was born in {birth_town}, where {his} parents kept an inn.",
        "Born in the town of {birth_town} in {birth_county}, {he} was the child of two teachers.",
        "{He} was born in {birth_town}, {birth_county}.",
        "A native of {birth_town}, {surname} was born above a bakery in {birth_county}.",
    ),
    "college": (
        "{He} studied {subject} at {college}.",
        "{surname} took a degree in {subject} at {college}.",
        "After two years of travel, {he} studied at {college}, at first without a degree in mind.",
        "{He} studied {subject} and graduated from {college} with honours.",
    ),
    "award": (
        "{He} won the {award} in {award_year}.",
        "In {award_year} {surname} won the {award}, an award that {he} called a surprise.",
        "The {award} was the first award that {he} won, in {award_year}.",
        "{surname} is a winner of the {award}.",
    ),
    "residence": (
        "{He} lives in {residence} with two dogs.",
        "Since {other_year} {surname} has lived in {residence}.",
        "{surname} now lives in {residence}, where {he} keeps bees.",
        "For most of {his} life {he} has lived in {residence}.",
    ),
}
_FILLERS = (
    "{His} early work was met with little interest.",
    "{He} speaks three languages and has translated poems from two of them.",
    "{surname} is sometimes confused with {other_person}.",
    "{He} spent the year {other_year} abroad.",
    "A portrait of {him} hangs in the town hall of {other_town}.",
    "Critics have compared {surname} with {other_person}.",
    "{He} retired from public life for a while in {other_year}.",
    "{His} letters were published in two volumes.",
    "A street in {other_town} is named after {him}.",
    "{He} is a keen walker and chess player.",
)


def _person(facts: dict[str, tuple[str, ...]], fillers: tuple[str, ...]) -> Manner:
    return Manner(_INTRODUCTIONS, {**_FACTS, **facts}, _FILLERS + fillers)


PEOPLE = {
    "director": _person(
        {
            "film": (
                "{He} directed the film {film}.",
                "{surname} is best known as the director of {film}.",
                "{His} best known film as a director is {film}.",
                "Of the films that {he} directed, {film} was the most successful.",
            )
        },
        ("Two of {his} scripts were never filmed.", "{He} began as an assistant in a small studio."),
    ),
    "actor": _person(
        {
            "film": (
                "{He} played the lead in the film {film}.",
                "{surname} is best known for a leading part in {film}.",
                "{His} first leading part was in the film {film}.",
                "Audiences remember {him} for the lead in {film}.",
            )
        },
        ("{He} has also worked on the stage.", "For some years {he} taught at a school for actors."),
    ),
    "novelist": _person(
        {
            "novel": (
                "{He} wrote the novel {novel}.",
                "{surname} is best known for the novel {novel}.",
                "{His} best known book, the novel {novel}, was written in a single winter.",
                "With the novel {novel} {he} found a wide readership.",
            )
        },
        ("{He} wrote at night, and by hand.", "{His} short stories have been read on the radio."),
    ),
    "singer": _person(
        {
            "band": (
                "{He} is the singer of the band {band}.",
                "{surname} sings in the band {band}.",
                "Since leaving school {he} has been the singer of {band}.",
                "{He} joined the band {band} as its singer.",
            ),
            "instrument": (
                "{He} also plays the {instrument}.",
                "As a child {surname} learnt to play the {instrument}.",
                "On stage {he} plays the {instrument} as well.",
                "{He} plays the {instrument}, which {he} taught {himself}.",
            ),
        },
        ("{He} sang in a choir as a child.", "{His} voice has been called hoarse and warm."),
    ),
    "footballer": _person(
        {
            "team": (
                "{He} is the captain of {team}.",
                "{surname} has been captain of {team} for some seasons.",
                "{He} plays for {team}, whose captain {he} is.",
                "As captain, {surname} led {team} through two difficult seasons.",
            ),
            "position": (
                "{He} plays in the position of {position}.",
                "{surname} plays as a {position}.",
                "{His} usual position is {position}.",
                "A {position} by training, {he} can play in any position.",
            ),
        },
        ("An injury kept {him} out for a whole season.", "{He} was known for long passes."),
    ),
    "coach": _person(
        {
            "team": (
                "{He} is the coach of {team}.",
                "{surname} became coach of {team} after a long career as a player.",
                "{He} coaches {team}.",
                "As a coach, {surname} has worked for {team} alone.",
            )
        },
        ("{His} training sessions begin at dawn.", "{He} wrote a manual on set pieces."),
    ),
    "scientist": _person(
        {
            "field": (
                "{His} research is on {field}.",
                "{surname} is known for research on {field}.",
                "{He} has published more than a hundred papers of research on {field}.",
                "Most of {his} research concerns {field}.",
            ),
            "employer": (
                "{He} works at the laboratory of {employer}.",
                "{surname} works for {employer}.",
                "After some years of teaching, {he} now works for {employer}.",
                "{He} works as chief adviser to {employer}.",
            ),
        },
        ("{He} keeps a collection of old instruments.", "{His} lectures drew large crowds."),
    ),
    "politician": _person(
        {
            "constituency": (
                "{He} represents {constituency} in parliament.",
                "{surname} sits in parliament, where {he} represents {constituency}.",
                "Elected to parliament late, {he} represents {constituency}.",
                "In parliament {he} represents {constituency}.",
            ),
            "elected": (
                "{He} was first elected in {elected}.",
                "{surname} was first elected to parliament in {elected}.",
                "After two defeats, {he} was elected in {elected}.",
                "In {elected} {he} was elected for the first time.",
            ),
        },
        ("{He} is an opponent of new motorways.", "{His} speeches are short."),
    ),
    "entrepreneur": _person(
        {
            "company": (
                "{He} founded the company {company}.",
                "{surname} is the founder of {company}.",
                "With borrowed money {he} founded {company}.",
                "{He} is best known as the founder of the company {company}.",
            )
        },
        ("{He} gave most of {his} fortune away.", "{His} first shop failed within a year."),
    ),
}
