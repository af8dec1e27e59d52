"""How articles about universities, companies, clubs and bands say what they say."""

from __future__ import annotations

from spanwise.environments.hotpotqa.generate.entities import Manner

INSTITUTIONS = {
    "college": Manner(
        (
            "{name} is a university in {town}.",
            "{name} is a university founded in {founded}.",
            "{name} is a private university.",
            "{name} is a university with four faculties.",
        ),
        {
            "town": (
                "The main buildings are in {town}.",
                "Its campus is in the town of {town}.",
                "The university moved to the town of {town} early in its history.",
            ),
            "founded": (
                "It was founded in {founded}.",
                "The university was founded in {founded} by a group of merchants.",
                "Founded in {founded}, it was closed twice in its history.",
            ),
            "students": (
                "It has {students} students.",
                "A third of its {students} students come from abroad.",
                "There are {students} students in all.",
            ),
            "alumnus": (
                "The {alumnus_role} {alumnus} studied here.",
                "One of those who studied here is the {alumnus_role} {alumnus}.",
                "Its best known graduate is the {alumnus_role} {alumnus}.",
            ),
        },
        (
            "Its library was rebuilt in {other_year}.",
            "The rowing club has existed since {other_year}.",
            "Lectures are open to the public.",
            "Its botanic garden lies beyond the walls.",
            "{other_person} gave the opening lecture of {other_year}.",
        ),
    ),
    "company": Manner(
        (
            "{name} is a company based in {town}.",
            "{name} is a company that makes {product}.",
            "{name} is a family company.",
            "{name} is a company with a long history.",
        ),
        {
            "town": (
                "The company is based in {town}.",
                "Its head office is in {town}.",
                "It has its head office in the town of {town}.",
            ),
            "founded": (
                "It was founded in {founded}.",
                "The company was founded in {founded} in a rented shed.",
                "Founded in {founded}, it has stayed in one family ever since.",
            ),
            "founder": (
                "It was founded by {founder}.",
                "Its founder was {founder}.",
                "The founder, {founder}, began at a kitchen table.",
            ),
            "employees": (
                "It has {employees} employees.",
                "The company has {employees} employees.",
                "{employees} employees work at its three sites.",
            ),
            "product": (
                "Its best known products are {product}.",
                "Today it makes {product}.",
                "The company makes {product}, and little else.",
            ),
            "sponsored": (
                "It is the main sponsor of {sponsored}.",
                "The company is the sponsor of the football club {sponsored}.",
                "For years it has been the sponsor of {sponsored}.",
            ),
        },
        (
            "It nearly went bankrupt in {other_year}.",
            "A second factory opened in {other_town} in {other_year}.",
            "Its logo is a blue wheel.",
            "It was among the first to introduce the five-day week.",
            "An attempt to sell it failed.",
        ),
    ),
    "team": Manner(
        (
            "{name} is a football club.",
            "{name} is a football club from {town}.",
            "{name} is a professional football club.",
            "{name} is a football club founded in {founded}.",
        ),
        {
            "town": (
                "The club is based in the town of {town}.",
                "It plays in {town}.",
                "The club comes from the town of {town}.",
            ),
            "founded": (
                "It was founded in {founded}.",
                "The club was founded in {founded} by dock workers.",
                "Founded in {founded}, the club has been relegated only once.",
            ),
            "stadium": (
                "Home matches are played at {stadium}, its stadium.",
                "Its stadium is {stadium}.",
                "The club's home stadium is {stadium}.",
            ),
            "captain": (
                "The captain is {captain}.",
                "{captain} is the captain of the side.",
                "Its captain, {captain}, joined as a teenager.",
            ),
            "coach": (
                "The side is trained by its coach, {coach}.",
                "Its coach is {coach}.",
                "{coach} is the coach.",
            ),
            "colours": (
                "Its colours are {colours}.",
                "The players wear {colours}, the colours of the club.",
                "The colours of the club are {colours}.",
            ),
        },
        (
            "It lost the cup final of {other_year} on penalties.",
            "Its oldest rival is a club from {other_town}.",
            "The club song was written in {other_year}.",
            "Its youth teams are among the best in the league.",
            "The club has a museum of its own.",
        ),
    ),
    "band": Manner(
        (
            "{name} is a {genre} band.",
            "{name} is a band formed in {formed}.",
            "{name} is a {genre} band from {town}.",
            "{name} is a band with four members.",
        ),
        {
            "town": (
                "The band comes from {town}.",
                "The members of the band come from {town}.",
                "The band comes from the town of {town}, where all members went to school.",
            ),
            "formed": (
                "It was formed in {formed}.",
                "The band was formed in {formed} at a summer camp.",
                "Formed in {formed}, it played in cellars at first.",
            ),
            "genre": (
                "The band plays {genre}.",
                "Its music is a kind of {genre}.",
                "Critics describe its music as {genre}.",
            ),
            "singer": (
                "The singer is {singer}.",
                "Its singer is {singer}.",
                "{singer} is the singer of the band.",
            ),
            "album": (
                "Its best known album is {album}.",
                "The band is best known for the album {album}.",
                "Of its albums, {album} is the best known album.",
            ),
        },
        (
            "It toured with {other_person} in {other_year}.",
            "The drummer left in {other_year}.",
            "Its concerts last for more than three hours.",
            "A concert in {other_town} had to be moved because of rain.",
            "The members share all royalties.",
        ),
    ),
}
