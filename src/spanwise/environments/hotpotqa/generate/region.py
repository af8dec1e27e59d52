"""A region: towns, people, works and institutions that have to do with one another."""

from __future__ import annotations

from random import Random

from spanwise.environments.hotpotqa.generate import words
from spanwise.environments.hotpotqa.generate.entities import Entity
from spanwise.environments.hotpotqa.generate.names import Names

_TOWNS, _COUNTIES, _RIVERS = 6, 3, 2
#: Of each kind.
_WORKS = 3
_INSTITUTIONS = 2
#: How often a film is called as its novel, an album as its band, and a politician as someone else.
_SAME_AS_NOVEL, _SAME_AS_BAND, _SAME_PERSON = 0.4, 0.15, 0.5
#: How often someone has a surname of the region, two towns differ by a word in front, and a title has parentheses for
#: no visible reason.
_SAME_SURNAME, _NEAR_TOWN, _PARENTHESES = 0.1, 0.4, 0.12
#: Between which years people are born; players have to be young enough.
_BORN, _PLAYERS = (1925, 1974), (1978, 1995)
_OCCUPATIONS = {
    "director": "film director",
    "actor": "actor",
    "novelist": "novelist",
    "singer": "singer",
    "footballer": "footballer",
    "coach": "football coach",
    "politician": "politician",
    "entrepreneur": "entrepreneur",
}


def draw_countries(names: Names, count: int = 2) -> list[Entity]:
    """Countries, as yet without a capital."""
    rng, countries = names.rng, []
    for _ in range(count):
        name, demonym = names.country()
        country = _entity("country", name)
        country.say(
            demonym=demonym,
            language=names.language(),
            currency=rng.choice(words.CURRENCIES),
            population=f"{rng.randint(800, 90_000) * 1000:,}",
        )
        countries.append(country)
    return countries


class Region:
    """The entities of one region, all facts settled."""

    def __init__(self, names: Names, countries: list[Entity]) -> None:
        self._names, self._rng, self._countries = names, names.rng, countries
        self._places()
        self._colleges = [_entity("college", names.college(), noun="university") for _ in range(_INSTITUTIONS)]
        for college in self._colleges:
            college.say(
                town=self._town(), founded=self._year(1610, 1925), students=f"{self._rng.randint(120, 4200) * 10:,}"
            )
        self.people: list[Entity] = []
        self._bands = [self._band() for _ in range(_WORKS)]
        self._teams = [self._team() for _ in range(_INSTITUTIONS)]
        self._companies = [self._company() for _ in range(_INSTITUTIONS)]
        novels = [self._novel() for _ in range(_WORKS)]
        self._works = [*novels, *(self._film(novels[number]) for number in range(_WORKS))]
        self._works += [self._album(band) for band in self._bands]
        for _ in range(2):
            self._scientist()
            self._politician()
        self._name_natives()
        self.entities = [
            *self.towns,
            *self._counties,
            *self._rivers,
            *self._colleges,
            *self.people,
            *self._bands,
            *self._teams,
            *self._companies,
            *self._works,
        ]
        _put_in_parentheses(self.entities, self._rng)

    def _town(self) -> Entity:
        return self._rng.choice(self.towns)

    def _year(self, first: int, last: int) -> str:
        return str(self._rng.randint(first, last))

    def _places(self) -> None:
        rng, names = self._rng, self._names
        self._counties = [_entity("county", names.county()) for _ in range(_COUNTIES)]
        self._rivers = [_entity("river", names.river()) for _ in range(_RIVERS)]
        self.towns = [_entity("town", names.town()) for _ in range(_TOWNS - 1)]
        first = self.towns[0].name
        near = first if rng.random() < _NEAR_TOWN and names.has_neighbour(first) else None
        self.towns.append(_entity("town", names.town(near)))
        for number, town in enumerate(self.towns):
            # The last towns lie where the rivers reach the sea.
            at_sea = number - _TOWNS + _RIVERS
            town.say(
                county=self._counties[number % _COUNTIES],
                river=self._rivers[at_sea] if at_sea >= 0 else rng.choice(self._rivers),
                population=f"{rng.randint(900, 180_000):,}",
                elevation=f"{rng.randint(2, 12) if at_sea >= 0 else rng.randint(13, 900)} metres",
                chartered=self._year(1105, 1790),
                craft=rng.choice(words.CRAFTS),
            )
        for number, county in enumerate(self._counties):
            county.say(
                country=self._countries[number % len(self._countries)],
                seat=self.towns[number],
                area=f"{rng.randint(300, 9000):,} square kilometres",
                population=f"{rng.randint(60, 2000) * 1000 + rng.randint(0, 999):,}",
                river=rng.choice(self._rivers),
                neighbour=self._counties[(number + 1) % _COUNTIES],
            )
        for number, river in enumerate(self._rivers):
            river.say(
                source=self._counties[number],
                mouth=self.towns[number - _RIVERS],
                length=f"{rng.randint(18, 940)} kilometres",
            )

    def _person(self, kind: str, noun: str | None = None, namesake: Entity | None = None) -> Entity:
        rng, woman = self._rng, self._rng.random() < 0.5
        if namesake:
            woman, name = namesake.values["he"] == "she", namesake.name
        else:
            surname = None
            if self.people and rng.random() < _SAME_SURNAME:
                surname = rng.choice(self.people).values["surname"]
            name = self._names.person(woman, surname)
        person = _entity(kind, name, noun=noun or _OCCUPATIONS[kind])
        born_in, year = self._town(), rng.randint(*(_PLAYERS if kind == "footballer" else _BORN))
        country = born_in.links["county"].links["country"]
        he, his, him = ("she", "her", "her") if woman else ("he", "his", "him")
        person.say(
            surname=person.name.split()[-1],
            occupation=person.noun,
            plural=f"{person.noun}{'es' if person.noun.endswith('ch') else 's'}",
            birth=f"{rng.randint(1, 28)} {rng.choice(words.MONTHS)} {year}",
            birth_town=born_in,
            birth_county=born_in.links["county"],
            nationality=country.values["demonym"],
            country=country,
            subject=rng.choice(words.SUBJECTS),
            college=rng.choice(self._colleges),
            award=self._names.thing("Prize", "Medal", "Award"),
            award_year=str(min(year + rng.randint(20, 45), rng.randint(2016, 2023))),
            residence=rng.choice([town for town in self.towns if town is not born_in]),
            he=he,
            He=he.title(),
            his=his,
            His=his.title(),
            him=him,
            himself="herself" if woman else "himself",
        )
        self.people.append(person)
        return person

    def _novel(self) -> Entity:
        rng, author = self._rng, self._person("novelist")
        novel = _entity("novel", self._names.work())
        novel.say(
            author=author,
            year=str(_birth(author) + rng.randint(22, 40)),
            genre=rng.choice(words.NOVEL_GENRES),
            publisher=rng.choice(self._companies),
            pages=str(rng.randint(110, 890)),
            setting=self._town(),
        )
        author.say(novel=novel)
        return novel

    def _film(self, novel: Entity) -> Entity:
        rng, director, star = self._rng, self._person("director"), self._person("actor")
        chance = rng.random()
        name = novel.name if chance < _SAME_AS_NOVEL else self._names.work()
        film = _entity("film", name)
        year = max(_birth(director), _birth(star)) + rng.randint(22, 38)
        if chance < _SAME_AS_NOVEL + 0.2:
            film.say(basis=novel)
            year = max(year, int(novel.values["year"]) + rng.randint(1, 4))
        elif rng.random() < 0.5:
            film.say(music=rng.choice(self._bands))
        film.say(
            director=director,
            star=star,
            year=str(year),
            genre=rng.choice(words.FILM_GENRES),
            nationality=director.values["nationality"],
            minutes=f"{rng.randint(71, 204)} minutes",
        )
        director.say(film=film)
        star.say(film=film)
        return film

    def _band(self) -> Entity:
        rng, singer = self._rng, self._person("singer")
        band = _entity("band", self._names.band())
        band.say(
            singer=singer,
            town=self._town(),
            formed=str(_birth(singer) + rng.randint(17, 27)),
            genre=rng.choice(words.MUSIC_GENRES),
        )
        singer.say(band=band, instrument=rng.choice(words.INSTRUMENTS))
        return band

    def _album(self, band: Entity) -> Entity:
        rng = self._rng
        album = _entity("album", band.name if rng.random() < _SAME_AS_BAND else self._names.work())
        album.say(
            band=band,
            year=str(int(band.values["formed"]) + rng.randint(1, 14)),
            studio=self._town(),
            minutes=f"{rng.randint(29, 78)} minutes",
        )
        band.say(album=album)
        return album

    def _team(self) -> Entity:
        captain, coach = self._person("footballer"), self._person("coach")
        team = _entity("team", self._names.team(), noun="football club")
        first, second = self._rng.sample(("black", "blue", "green", "orange", "purple", "red", "white", "yellow"), 2)
        team.say(
            captain=captain,
            coach=coach,
            town=self._town(),
            founded=self._year(1872, 1935),
            stadium=self._names.thing("Park", "Road", "Lane", "Stadium"),
            colours=f"{first} and {second}",
        )
        captain.say(team=team, position=self._rng.choice(words.POSITIONS))
        coach.say(team=team)
        return team

    def _company(self) -> Entity:
        rng, founder = self._rng, self._person("entrepreneur")
        company = _entity("company", self._names.company())
        company.say(
            founder=founder,
            town=self._town(),
            founded=str(_birth(founder) + rng.randint(21, 39)),
            employees=f"{rng.randint(4, 2400) * 10:,}",
            product=rng.choice(words.PRODUCTS),
            sponsored=rng.choice(self._teams),
        )
        founder.say(company=company)
        return company

    def _scientist(self) -> None:
        noun = self._rng.choice(sorted(words.SCIENCES))
        scientist = self._person("scientist", noun)
        scientist.say(field=self._rng.choice(words.SCIENCES[noun]), employer=self._rng.choice(self._companies))

    def _politician(self) -> None:
        politicians = [person.name for person in self.people if person.kind == "politician"]
        others = [person for person in self.people if person.name not in politicians]
        namesake = self._rng.choice(others) if self._rng.random() < _SAME_PERSON else None
        politician = self._person("politician", namesake=namesake)
        politician.say(
            constituency=self._rng.choice(self._counties),
            elected=str(_birth(politician) + self._rng.randint(26, 44)),
        )

    def _name_natives(self) -> None:
        """Lets towns and universities name someone who alone fits the description that a question will give."""
        for place, key, role in [(town, "birth_town", "native") for town in self.towns] + [
            (college, "college", "alumnus") for college in self._colleges
        ]:
            here = [person for person in self.people if person.links[key] is place]
            alone = [person for person in here if [other.noun for other in here].count(person.noun) == 1]
            if alone:
                person = self._rng.choice(alone)
                place.say(**{role: person, f"{role}_role": person.noun})


def _entity(kind: str, name: str, noun: str | None = None) -> Entity:
    return Entity(kind, noun or kind, name, name)


def _birth(person: Entity) -> int:
    return int(person.values["birth"][-4:])


def _put_in_parentheses(entities: list[Entity], rng: Random) -> None:
    """Tells apart in their titles what has one name, and adds parentheses to some other titles of works and people."""
    names = [entity.name for entity in entities]
    for entity in entities:
        place = entity.kind in ("town", "county", "river", "college", "company")
        if names.count(entity.name) > 1 or (not place and rng.random() < _PARENTHESES):
            entity.title = f"{entity.name} ({entity.noun})"
