"""Parts of which invented names are put together, and the plain words that articles choose from."""

from __future__ import annotations


def _listed(words: str) -> tuple[str, ...]:
    return tuple(words.split())


WOMEN = _listed(
    """
    Adira Alenka Anwen Bellis Brisa Calla Dalia Edda Elowen Emlyn Esme Fenna Fiora Greta Halla Hesper Ilsa Iona
    Jorun Juna Kaia Kerra Leda Liora Lunet Maren Merit Mira Morwen Nadia Nerys Nola Odette Olwen Orla Petra Rhoda
    Romy Sable Sanna Senna Sigrun Tamsin Thora Ursa Vanja Verity Wilma Wren Ylva Zelda Zora
    """
)
MEN = _listed(
    """
    Anselm Arlo Asher Balder Bastian Bram Caius Caspian Corwin Dario Davin Dorian Edric Eldon Errol Fabian Falk
    Florian Gareth Gideon Hamish Hollis Idris Ivo Jarek Jasper Kelvin Konrad Leif Lucan Magnus Milo Nestor Niall
    Orson Osric Pascal Perrin Quentin Rainer Roald Rufus Silas Soren Tarek Theron Tobin Valen Viggo Wendel Yorick
    Zoltan
    """
)
SURNAME_STARTS = _listed(
    """
    Ald Bar Bel Brad Bren Cal Carn Cor Dar Del Dun El Fal Fen Gar Gil Hal Har Hol Ing Jar Kel Kest Lan Lor Mal Mar Mer
    Nor Ol Pad Pel Pren Quin Ran Ros Sel Stan Tal Thar Tor Ul Var Vol Wal Wend Yar Zan
    """
)
SURNAME_ENDS = _listed("ander ard by den dric ell er ham ic ing ley low man ov ric sen son stone ton wick win")

TOWN_STEMS = _listed(
    """
    Alder Amber Apple Ash Barley Beacon Birch Black Bramble Briar Bright Brook Cinder Clay Clover Cold Copper Coral
    Crane Dawn Dove Drift Dusk Eagle Elder Elm Ember Fair Fallow Fern Flint Fox Frost Glass Gold Grey Grove Hare
    Hart Hawk Hazel Heather Heron Holly Honey Iron Ivy Lark Linden Maple Marsh Meadow Mill Mist Moss Oak Otter Owl
    Pine Plum Rain Raven Red Rose Rush Salt Silver Snow Spring Star Stone Storm Sun Swan Thistle Thorn Vale Vine
    Willow Wind Wolf
    """
)
TOWN_ENDS = _listed(
    """
    barrow bay borough bourne bridge burgh burn bury by cliff combe cross dale den field ford gate ham haven hill hurst
    leigh mere minster moor mouth port stead stow thorpe ton well wick wood worth
    """
)
TOWN_FRONTS = ("Upper", "Lower", "North", "South", "Great", "Little", "Old", "New", "Port", "Market")
RIVER_MIDDLES = ("", "", "", "and", "em", "in", "or", "um")
RIVER_ENDS = ("a", "el", "en", "er", "et", "il", "in", "is", "le", "o", "une", "y")
COUNTY_ENDS = ("shire", "mark", "sea", "wold", "march", "fold")
COUNTRY_STARTS = _listed("Ber Cas Dor Fal Gal Hel Jor Lat Mor Pal Ques Ral Sar Tal Val Wes Yel Zer")
COUNTRY_MIDDLES = ("ad", "am", "an", "and", "ar", "em", "en", "er", "ist", "ol", "on", "or", "un")
#: Ending of a country's name and that of its people's.
COUNTRY_ENDS = (
    ("avia", "avian"),
    ("ay", "ayan"),
    ("esh", "eshi"),
    ("esta", "estan"),
    ("ia", "ian"),
    ("oa", "oan"),
    ("ora", "oran"),
    ("una", "unan"),
)
LANGUAGE_ENDS = ("ari", "ene", "ese", "ic", "ine", "ish", "ote")
CURRENCIES = ("crown", "mark", "thaler", "florin", "guilder", "shilling", "dinar", "ducat", "lira", "groat")

TITLE_ADJECTIVES = _listed(
    """
    Ancient Bitter Borrowed Brave Bright Broken Burning Careful Crimson Crooked Dark Distant Drowned Early Electric
    Empty Endless Faithful Famous Fearless Final Forgotten Fragile Frozen Gentle Gilded Golden Grand Green Hidden Hollow
    Honest Hungry Invisible Last Lonely Long Lost Lucky Midnight Narrow Northern Open Painted Pale Paper Patient Perfect
    Quiet Restless Scarlet Second Secret Sharp Silent Silver Simple Sleeping Southern Splendid Stolen Strange Sudden
    Tender Tired Velvet Wandering Wicked Winter Wooden Yellow
    """
)
TITLE_NOUNS = _listed(
    """
    Anchor Arrow Autumn Balcony Bell Bird Boat Bridge Candle Carnival Castle Cathedral Circus City Clock Cloud Compass
    Corridor Crown Dancer Daughter Door Dream Engine Evening Express Feather Field Fire Forest Fountain Garden Ghost
    Giant Harbour Horizon Hour House Island Journey Key King Ladder Lake Lantern Letter Lighthouse Lion Machine Map
    Market Mask Meadow Mirror Moon Morning Mountain Museum Night Ocean Orchard Palace Parade Passenger Piano Pilot
    Prince Promise Queen Railway Rain Ribbon River Road Roof Sailor Season Shadow Ship Signal Singer Sister Sky
    Snow Soldier Song Sparrow Stair Station Stone Storm Stranger Street Summer Sword Theatre Thief Tide Tower Train
    Traveller Valley Violin Voice Wall Watch Water Whisper Window Wing Witness Wolf Year
    """
)
CLUB_WORDS = _listed(
    "Albion Athletic City Corinthians Harriers Hotspur Olympic Orient Rangers Rovers Stars United Victoria Wanderers"
)
COMPANY_WORDS = _listed(
    """
    Aerospace Breweries Chemicals Electronics Foods Foundry Glassworks Instruments Logistics Mills Motors Optics
    Pharmaceuticals Press Publishing Railways Shipyards Steel Systems Textiles Tools Watches
    """
)
COLLEGE_WORDS = (
    "Academy",
    "Business School",
    "College",
    "Free University",
    "Institute",
    "Medical School",
    "Polytechnic",
    "Royal College",
    "School of Mines",
    "State University",
    "Technical College",
    "University",
)

MONTHS = _listed("January February March April May June July August September October November December")
FILM_GENRES = (
    "comedy",
    "crime",
    "drama",
    "fantasy",
    "horror",
    "musical",
    "romance",
    "science fiction",
    "war",
    "western",
)
NOVEL_GENRES = ("adventure", "crime", "fantasy", "gothic", "historical", "mystery", "romance", "science fiction", "spy")
MUSIC_GENRES = ("blues", "country", "disco", "electronic", "folk", "funk", "jazz", "metal", "punk", "reggae", "soul")
INSTRUMENTS = ("accordion", "banjo", "cello", "clarinet", "flute", "guitar", "harp", "mandolin", "piano", "trumpet")
SUBJECTS = (
    "architecture",
    "botany",
    "economics",
    "engineering",
    "geography",
    "history",
    "law",
    "literature",
    "medicine",
    "music",
    "philosophy",
    "zoology",
)
SCIENCES = {
    "astronomer": ("comets", "double stars", "sunspots", "the rings of planets"),
    "botanist": ("alpine mosses", "ferns", "orchids", "seaweeds"),
    "chemist": ("catalysts", "dyes", "polymers", "rare earths"),
    "geologist": ("earthquakes", "fossil corals", "glaciers", "volcanic glass"),
    "physicist": ("cosmic rays", "crystals", "magnetism", "superconductors"),
}
POSITIONS = (
    "centre-back",
    "defensive midfielder",
    "full-back",
    "goalkeeper",
    "right winger",
    "left winger",
    "striker",
    "sweeper",
)
PRODUCTS = (
    "barometers",
    "bicycles",
    "cameras",
    "carpets",
    "clocks",
    "dictionaries",
    "ferries",
    "lenses",
    "matches",
    "microscopes",
    "paints",
    "pianos",
    "pumps",
    "sewing machines",
    "tractors",
    "typewriters",
)
CRAFTS = (
    "basket weaving",
    "bell founding",
    "boat building",
    "cheese making",
    "cider",
    "glass blowing",
    "lace",
    "leather",
    "paper making",
    "pottery",
    "salt",
    "slate",
    "wool",
)
BUILDINGS = (
    "a covered market",
    "a lighthouse",
    "a medieval bridge",
    "a narrow-gauge railway",
    "a planetarium",
    "a ruined abbey",
    "a water tower",
    "an open-air theatre",
    "an opera house",
    "a windmill",
)
