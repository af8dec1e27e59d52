"""How articles about films, novels and albums say what they say."""

from __future__ import annotations

from spanwise.environments.hotpotqa.generate.entities import Manner

WORKS = {
    "film": Manner(
        (
            "{name} is a {year} {genre} film.",
            "{name} is a {genre} film directed by {director}.",
            "{name} is a {year} film starring {star}.",
            "{name} is a {genre} film.",
            "{name} is a {nationality} film.",
        ),
        {
            "year": (
                "The film was released in {year}.",
                "It was released in {year} after long delays.",
                "Released in {year}, it ran in cinemas for months.",
            ),
            "director": (
                "It was directed by {director}.",
                "The director was {director}.",
                "{director} directed the film on a small budget.",
                "The film was directed by {director}, who also had a hand in the script.",
            ),
            "star": (
                "The lead is played by {star}.",
                "It stars {star} as a country doctor.",
                "{star} plays the leading part.",
                "The leading part went to {star}.",
            ),
            "minutes": (
                "It is {minutes} long.",
                "The final cut is {minutes} long.",
                "At {minutes}, the film is as long as its director wished.",
            ),
            "basis": (
                "It is based on the novel {basis}.",
                "The script is based on the novel {basis}.",
                "The film is based, rather freely, on the novel {basis}.",
            ),
            "music": (
                "The music is by the band {music}.",
                "The band {music} recorded the music.",
                "Its music was written by the band {music}.",
            ),
        },
        (
            "It was shot in and around {other_town}.",
            "A restored version was shown in {other_year}.",
            "Reviews were mixed at first.",
            "{other_person} was considered for a smaller part.",
            "The costumes were borrowed from a theatre.",
            "Parts of the negative were lost in {other_year}.",
        ),
    ),
    "novel": Manner(
        (
            "{name} is a {genre} novel.",
            "{name} is a {year} novel by {author}.",
            "{name} is a {genre} novel by {author}.",
            "{name} is a novel in three parts.",
        ),
        {
            "year": (
                "It was published in {year}.",
                "The novel was published in {year}.",
                "First published in {year}, it has never been out of print.",
            ),
            "author": (
                "It was written by {author}.",
                "Its author is {author}.",
                "The author, {author}, worked on it for six years.",
                "{author} wrote it in a rented room.",
            ),
            "publisher": (
                "It was published by {publisher}.",
                "The novel was published by {publisher}.",
                "The company {publisher} published it after others had declined.",
            ),
            "pages": (
                "The first edition has {pages} pages.",
                "It runs to {pages} pages.",
                "In its first edition the novel has {pages} pages.",
            ),
            "setting": (
                "The story is set in {setting}.",
                "It is set in the town of {setting}.",
                "The novel is set in {setting} during a long winter.",
            ),
        },
        (
            "A sequel was announced in {other_year} but never written.",
            "{other_person} called it a quiet masterpiece.",
            "The cover shows a rowing boat.",
            "It has been translated into nine languages.",
            "The manuscript is kept in {other_town}.",
            "Schools began to teach it in {other_year}.",
        ),
    ),
    "album": Manner(
        (
            "{name} is an album by {band}.",
            "{name} is an album by the band {band}, released in {year}.",
            "{name} is a {year} album.",
            "{name} is an album of eleven songs.",
        ),
        {
            "year": (
                "It was released in {year}.",
                "The album was released in {year}.",
                "Released in {year}, it sold slowly at first.",
            ),
            "band": (
                "It was recorded by the band {band}.",
                "The band {band} wrote all of its songs.",
                "It is the work of the band {band}.",
            ),
            "studio": (
                "It was recorded in {studio}.",
                "The album was recorded in {studio} within ten days.",
                "The songs were recorded in a barn in {studio}.",
            ),
            "minutes": (
                "It is {minutes} long.",
                "The album is {minutes} long.",
                "All in all it is {minutes} long.",
            ),
        },
        (
            "The cover was painted by {other_person}.",
            "A new edition followed in {other_year}.",
            "Its last song has no words.",
            "One of the songs was banned from the radio.",
            "It was played in full in {other_town} in {other_year}.",
        ),
    ),
}
