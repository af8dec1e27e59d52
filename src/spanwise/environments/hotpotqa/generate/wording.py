"""How questions say what they ask."""

from __future__ import annotations

from spanwise.environments.hotpotqa.generate.people import PEOPLE

#: For the article of a kind and a value told there that has an article itself: how a question describes the latter.
LINKS = {
    ("film", "director"): ("the director of {it}", "the person who directed {it}"),
    ("film", "star"): ("the star of {it}", "the actor who played the lead in {it}"),
    ("film", "basis"): ("the novel on which {it} is based", "the novel that {it} is based on"),
    ("film", "music"): ("the band that recorded the music of {it}", "the band behind the music of {it}"),
    ("novel", "author"): ("the author of {it}", "the novelist who wrote {it}"),
    ("novel", "publisher"): ("the publisher of {it}", "the company that published {it}"),
    ("novel", "setting"): ("the town in which {it} is set", "the town where the story of {it} takes place"),
    ("album", "band"): ("the band that recorded {it}", "the band behind {it}"),
    ("album", "studio"): ("the town in which {it} was recorded", "the town where {it} was recorded"),
    ("band", "singer"): ("the singer of {it}", "the person who sings in {it}"),
    ("band", "album"): ("the best known album of {it}", "the album for which {it} is known"),
    ("band", "town"): ("the town that {it} comes from", "the home town of {it}"),
    ("team", "captain"): ("the captain of {it}", "the footballer who is captain of {it}"),
    ("team", "coach"): ("the coach of {it}", "the person who coaches {it}"),
    ("team", "town"): ("the town in which {it} is based", "the home town of {it}"),
    ("company", "founder"): ("the founder of {it}", "the entrepreneur who founded {it}"),
    ("company", "town"): ("the town in which {it} is based", "the town where {it} has its head office"),
    ("company", "sponsored"): ("the football club sponsored by {it}", "the football club whose sponsor is {it}"),
    ("college", "town"): ("the town in which {it} is located", "the town that is home to {it}"),
    ("college", "alumnus"): ("the {alumnus_role} who studied at {it}", "the {alumnus_role} who is a graduate of {it}"),
    ("town", "native"): ("the {native_role} born in {it}", "the {native_role} who is a native of {it}"),
    ("town", "county"): ("the county to which {it} belongs", "the county in which {it} lies"),
    ("town", "river"): ("the river that flows through {it}", "the river on which {it} stands"),
    ("county", "seat"): ("the county town of {it}", "the town that is the county town of {it}"),
    ("county", "river"): ("the main river of {it}",),
    ("county", "country"): ("the country in which {it} lies", "the country to which {it} belongs"),
    ("river", "source"): ("the county in which {it} has its source", "the county where {it} rises"),
    ("river", "mouth"): ("the town at the mouth of {it}", "the town at which {it} reaches the sea"),
    ("country", "capital"): ("the capital of {it}",),
    ("director", "film"): ("the film directed by {it}", "the film that {it} directed"),
    ("actor", "film"): ("the film with {it} in the lead", "the film in which {it} played the lead"),
    ("novelist", "novel"): ("the novel by {it}", "the novel that {it} wrote"),
    ("singer", "band"): ("the band fronted by {it}", "the band in which {it} sings"),
    ("footballer", "team"): ("the football club whose captain is {it}", "the football club that {it} plays for"),
    ("coach", "team"): ("the football club trained by {it}", "the football club that {it} coaches"),
    ("scientist", "employer"): ("the company that {it} works for", "the company at which {it} works"),
    ("politician", "constituency"): ("the county that {it} represents", "the county represented by {it}"),
    ("entrepreneur", "company"): ("the company founded by {it}", "the company whose founder is {it}"),
}
for _kind in PEOPLE:
    LINKS[_kind, "birth_town"] = ("the town in which {it} was born", "the birthplace of {it}")
    LINKS[_kind, "college"] = ("the university at which {it} studied", "the university of which {it} is a graduate")
    LINKS[_kind, "residence"] = ("the town in which {it} lives",)

_PERSON = {
    "birth": ("When was {np} born?", "What is the date on which {np} was born?", "On what date was {np} born?"),
    "birth_town": ("In which town was {np} born?", "{np} was born in which town?", "Where was {np} born?"),
    "birth_county": ("In which county was {np} born?", "{np} was born in which county?"),
    "nationality": ("What is the nationality of {np}?", "What nationality is {np}?"),
    "college": (
        "At which university did {np} study?",
        "Where did {np} study?",
        "{np} is a graduate of which university?",
    ),
    "subject": ("What did {np} study?", "Which subject did {np} study?"),
    "award": ("Which award did {np} win?", "{np} is a winner of which award?", "What award was won by {np}?"),
    "award_year": ("In what year did {np} win an award?", "In which year was an award won by {np}?"),
    "residence": ("In which town does {np} live?", "Where has {np} lived for years?"),
}
#: For a kind and a value told in its article: questions for that value.
ATTRIBUTES = {
    "country": {
        "capital": ("What is the capital of {np}?", "Which town is the capital of {np}?"),
        "language": ("What is the official language of {np}?", "Which language is official in {np}?"),
        "currency": ("What is the currency of {np}?", "Which currency is used in {np}?"),
        "population": ("What is the population of {np}?",),
    },
    "county": {
        "seat": ("What is the county town of {np}?", "Which town is the county town of {np}?"),
        "area": ("What area does {np} cover?", "How large is the area of {np}?"),
        "population": ("What is the population of {np}?", "How large is the population of {np}?"),
        "river": ("What is the main river of {np}?", "Which river is the main river of {np}?"),
        "neighbour": ("Which county borders {np}?", "{np} borders which county?"),
        "country": ("In which country is {np}?", "{np} lies in which country?"),
    },
    "river": {
        "source": ("In which county is the source of {np}?", "Where is the source of {np}?"),
        "mouth": ("At which town does {np} reach the sea?", "Where does {np} flow into the sea?"),
        "length": ("How long is {np}?", "What is the length of {np}?"),
    },
    "town": {
        "county": ("In which county is {np}?", "{np} belongs to which county?"),
        "river": ("Which river flows through {np}?", "On which river is {np}?"),
        "population": ("What is the population of {np}?", "How large is the population of {np}?"),
        "elevation": ("What is the elevation of {np}?", "At what elevation is {np}?"),
        "chartered": ("In what year did {np} receive its charter?", "From what year is the charter of {np}?"),
        "craft": ("What is {np} known for?", "For what is {np} known?"),
    },
    "college": {
        "town": ("In which town is {np}?", "{np} is in which town?"),
        "founded": ("In what year was {np} founded?", "When was {np} founded?"),
        "students": ("How many students are there at {np}?", "How many students does {np} have?"),
    },
    "company": {
        "town": ("In which town is {np} based?", "Where is the head office of {np}?"),
        "founded": ("In what year was {np} founded?", "When was {np} founded?"),
        "founder": ("Who founded {np}?", "Who is the founder of {np}?"),
        "employees": ("How many employees does {np} have?", "What is the number of employees of {np}?"),
        "product": ("What does {np} make?", "What are the products that {np} makes?"),
        "sponsored": ("Of which football club is {np} the sponsor?", "{np} is the sponsor of which football club?"),
    },
    "team": {
        "town": ("In which town is {np} based?", "{np} is a club from which town?"),
        "founded": ("In what year was {np} founded?", "When was {np} founded?"),
        "stadium": ("What is the name of the stadium of {np}?", "In which stadium does {np} play at home?"),
        "captain": ("Who is the captain of {np}?",),
        "coach": ("Who is the coach of {np}?",),
        "colours": ("What are the colours of {np}?", "Which two colours are those of {np}?"),
    },
    "band": {
        "town": ("From which town does {np} come?", "{np} comes from which town?"),
        "formed": ("In what year was {np} formed?", "When was {np} formed?"),
        "genre": ("What kind of music does {np} play?", "Which genre of music is played by {np}?"),
        "singer": ("Who is the singer of {np}?",),
        "album": ("What is the best known album of {np}?", "Which album is {np} known for?"),
    },
    "film": {
        "year": ("In what year was {np} released?", "When was {np} released?"),
        "director": ("Who directed {np}?", "Who was the director of {np}?"),
        "star": ("Who plays the leading part in {np}?", "Who plays the lead in {np}?"),
        "minutes": ("How long is {np}?", "How many minutes long is {np}?"),
        "basis": ("On which novel is {np} based?",),
        "music": ("Which band recorded the music of {np}?", "The music of {np} is by which band?"),
    },
    "novel": {
        "year": ("In what year was {np} published?", "When was {np} first published?"),
        "author": ("Who is the author of {np}?", "By whom was {np} written?"),
        "publisher": ("Which company published {np}?", "By which company was {np} published?"),
        "pages": ("How many pages does the first edition of {np} have?", "How many pages does {np} have?"),
        "setting": ("In which town is {np} set?", "{np} is set in which town?"),
    },
    "album": {
        "year": ("In what year was {np} released?", "When was {np} released?"),
        "band": ("Which band recorded {np}?", "By which band was {np} recorded?"),
        "studio": ("In which town was {np} recorded?", "Where was {np} recorded?"),
        "minutes": ("How long is {np}?", "How many minutes long is {np}?"),
    },
    **dict.fromkeys(PEOPLE, _PERSON),
}
ATTRIBUTES["singer"] = _PERSON | {"instrument": ("Which instrument does {np} play?", "{np} plays which instrument?")}
ATTRIBUTES["footballer"] = _PERSON | {
    "position": ("In which position does {np} play?", "What position does {np} play?")
}
ATTRIBUTES["scientist"] = _PERSON | {
    "field": ("What is the research of {np} about?", "For research on what is {np} known?"),
}
ATTRIBUTES["politician"] = _PERSON | {
    "elected": ("In what year was {np} first elected?", "When was {np} first elected?"),
    "constituency": ("Which county does {np} represent in parliament?",),
}

#: For a kind and a number told in its article: questions which of two has less of it, and which has more.
CONTRASTS = {
    "person": {
        "birth": (
            (
                "Who is older, {a} or {b}?",
                "Who was born first, {a} or {b}?",
                "Which of the two was born earlier: {a} or {b}?",
            ),
            ("Who is younger, {a} or {b}?", "Who was born later, {a} or {b}?"),
        )
    },
    "town": {
        "population": (
            ("Which town has fewer inhabitants, {a} or {b}?", "Which has the smaller population, {a} or {b}?"),
            ("Which town has more inhabitants, {a} or {b}?", "Which has the larger population, {a} or {b}?"),
        ),
        "elevation": (
            ("Which town lies lower, {a} or {b}?", "Which has the lower elevation, {a} or {b}?"),
            ("Which town lies higher, {a} or {b}?", "Which has the higher elevation, {a} or {b}?"),
        ),
    },
    "county": {
        "area": (
            ("Which county is smaller in area, {a} or {b}?",),
            ("Which county is larger in area, {a} or {b}?", "Which of the two covers the larger area: {a} or {b}?"),
        )
    },
    "river": {
        "length": (
            ("Which river is shorter, {a} or {b}?", "Of {a} and {b}, which is the shorter river?"),
            ("Which river is longer, {a} or {b}?", "Of {a} and {b}, which is the longer river?"),
        )
    },
    "college": {
        "founded": (
            ("Which university was founded first, {a} or {b}?", "Which university is older, {a} or {b}?"),
            ("Which university was founded later, {a} or {b}?", "Which university is younger, {a} or {b}?"),
        )
    },
    "company": {
        "employees": (
            ("Which company has fewer employees, {a} or {b}?",),
            ("Which company has more employees, {a} or {b}?",),
        )
    },
    "band": {
        "formed": (
            ("Which band was formed first, {a} or {b}?", "Which of the bands was formed earlier: {a} or {b}?"),
            ("Which band was formed later, {a} or {b}?", "Which of the bands is younger: {a} or {b}?"),
        )
    },
    "film": {
        "year": (
            ("Which film was released first, {a} or {b}?", "Which film came out earlier, {a} or {b}?"),
            ("Which film was released later, {a} or {b}?", "Which film is more recent, {a} or {b}?"),
        ),
        "minutes": (("Which film is shorter, {a} or {b}?",), ("Which film is longer, {a} or {b}?",)),
    },
    "novel": {
        "year": (
            ("Which novel was published first, {a} or {b}?", "Which novel came out earlier, {a} or {b}?"),
            ("Which novel was published later, {a} or {b}?", "Which novel came out last, {a} or {b}?"),
        ),
        "pages": (("Which novel has fewer pages, {a} or {b}?",), ("Which novel has more pages, {a} or {b}?",)),
    },
    "album": {
        "year": (
            ("Which album was released first, {a} or {b}?", "Which album came out earlier, {a} or {b}?"),
            ("Which album was released later, {a} or {b}?", "Which album is more recent, {a} or {b}?"),
        )
    },
}
#: For a kind and a value told in its article: questions whether two share it.
AGREEMENTS = {
    "person": {
        "nationality": ("Are {a} and {b} of the same nationality?", "Do {a} and {b} have the same nationality?"),
        "college": ("Did {a} and {b} study at the same university?",),
        "birth_county": ("Were {a} and {b} born in the same county?",),
        "birth_town": ("Were {a} and {b} born in the same town?", "Were both {a} and {b} born in {birth_town}?"),
        "occupation": (
            "Do {a} and {b} have the same occupation?",
            "Are both {a} and {b} {plural}?",
            "Are {a} and {b} both {plural}?",
        ),
    },
    "town": {
        "county": ("Are {a} and {b} in the same county?", "Do {a} and {b} belong to the same county?"),
        "river": ("Do {a} and {b} lie on the same river?", "Are {a} and {b} on the same river?"),
    },
    "county": {"country": ("Are {a} and {b} in the same country?", "Are both {a} and {b} in {country}?")},
    "college": {"town": ("Are {a} and {b} in the same town?",)},
    "company": {"town": ("Are {a} and {b} based in the same town?",)},
    "film": {"genre": ("Are {a} and {b} films of the same genre?", "Are both {a} and {b} {genre} films?")},
    "novel": {"publisher": ("Were {a} and {b} published by the same company?",)},
    "band": {"genre": ("Do {a} and {b} play the same kind of music?", "Do both {a} and {b} play {genre}?")},
}
