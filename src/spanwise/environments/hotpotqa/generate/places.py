"""How articles about places say what they say."""

from __future__ import annotations

from spanwise.environments.hotpotqa.generate.entities import Manner

PLACES = {
    "country": Manner(
        ("{name} is a country on the northern coast of the continent.", "{name} is a country with a long coastline."),
        {
            "capital": (
                "The capital is {capital}.",
                "Its capital is the town of {capital}.",
                "Parliament sits in the capital, {capital}.",
            ),
            "language": (
                "The official language is {language}.",
                "{language} is the official language of {name}.",
                "Most people speak {language}, the official language.",
            ),
            "currency": (
                "The currency of {name} is the {currency}.",
                "Its currency is the {currency}.",
                "The {currency} has been the currency for over a century.",
            ),
            "population": (
                "{name} has a population of {population}.",
                "The population is {population}.",
                "At the last census the population of the country was {population}.",
            ),
        },
        (
            "Summers are short and winters mild.",
            "A railway crosses the country from east to west.",
            "The national flower is the cornflower.",
            "It exports timber and fish.",
            "Elections are held every four years.",
        ),
    ),
    "county": Manner(
        (
            "{name} is a county in {country}.",
            "{name} is one of the counties of {country}.",
            "{name} is a rural county.",
            "{name} is a county known for its orchards.",
        ),
        {
            "country": ("It lies in the south of {country}.", "The county is part of the country of {country}."),
            "seat": (
                "Its county town is {seat}.",
                "The county town, {seat}, is also its largest market.",
                "The council meets in {seat}, the county town.",
                "{seat} is the county town.",
            ),
            "area": (
                "The county covers an area of {area}.",
                "{name} has an area of {area}.",
                "With an area of {area}, it is of middling size.",
            ),
            "population": (
                "The population of the county is {population}.",
                "{name} has a population of {population}.",
                "At the last census it had a population of {population}.",
            ),
            "river": (
                "The main river is the {river}.",
                "The {river} is the main river of the county.",
                "Its main river, the {river}, floods in most springs.",
            ),
            "neighbour": (
                "It borders {neighbour} in the west.",
                "To the north {name} borders {neighbour}.",
                "{name} borders on {neighbour}.",
            ),
        },
        (
            "Barley and apples are grown here.",
            "The county was reorganised in {other_year}.",
            "Few of its old railway lines are left.",
            "An annual fair is held in {other_town}.",
            "Its flag shows three herons.",
        ),
    ),
    "river": Manner(
        (
            "The {name} is a river.",
            "The {name} is a river with many bends.",
            "The {name} is a slow river, popular with anglers.",
        ),
        {
            "source": (
                "Its source lies in {source}.",
                "The source of the river is a spring in {source}.",
                "From its source in {source} it flows south.",
                "It has its source in the hills of {source}.",
            ),
            "mouth": (
                "The river reaches the sea at {mouth}.",
                "It flows into the sea at {mouth}.",
                "At {mouth} the {name} flows into the sea.",
                "Its mouth at the sea is in {mouth}.",
            ),
            "length": (
                "It is {length} long.",
                "The river has a length of {length}, long enough for many kinds of fish.",
                "{length} long, it has eleven locks.",
                "From end to end the {name} is {length} long.",
            ),
        },
        (
            "Salmon returned to it in {other_year}.",
            "Barges used it until {other_year}.",
            "A great flood in {other_year} destroyed nine bridges.",
            "Trout and eel are caught in it.",
            "A footpath follows both of its banks.",
            "The writer {other_person} described it in a travel diary.",
        ),
    ),
    "town": Manner(
        (
            "{name} is a town in {county}.",
            "{name} is a market town.",
            "{name} is a town on the {river}.",
            "{name} is a small town in {county}, on the {river}.",
            "{name} is an old town with a castle.",
        ),
        {
            "county": (
                "It is in {county}.",
                "The town belongs to {county}, a county known for its orchards.",
                "{name} lies in the east of {county}, a county of hills.",
            ),
            "river": (
                "The {river}, a river known for its floods, flows through the town.",
                "It stands where an old road crosses a river, the {river}.",
                "The river that flows through {name} is the {river}.",
            ),
            "population": (
                "The town has a population of {population}.",
                "Its population is {population}.",
                "At the last census the population of {name} was {population}.",
            ),
            "elevation": (
                "It stands at an elevation of {elevation}.",
                "The market square has an elevation of {elevation}.",
                "The elevation of the town is {elevation}.",
            ),
            "chartered": (
                "The town received its charter in {chartered}.",
                "Its charter as a town dates from {chartered}.",
                "In {chartered} {name} received a charter.",
            ),
            "craft": (
                "The town is known for {craft}.",
                "{name} is known for its {craft}.",
                "Since the middle ages it has been known for {craft}.",
            ),
            "native": (
                "The {native_role} {native} was born in {name}.",
                "Among those born here is the {native_role} {native}.",
                "It is the town where the {native_role} {native} was born.",
            ),
        },
        (
            "A fire in {other_year} destroyed most of the old houses.",
            "The railway came in {other_year}.",
            "The road to {other_town} is closed in winter.",
            "Market day is Thursday.",
            "A statue of {other_person} stands in the park.",
            "There is {building} near the station.",
            "It has two small museums and a school of music.",
        ),
    ),
}
