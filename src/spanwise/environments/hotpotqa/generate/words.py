"""Parts of which invented names are put together, and the plain words that articles choose from."""

from __future__ import annotations


def _listed(words: str) -> tuple[str, ...]:
    return tuple(words.split())


WOMEN = _listed(
    """
    Adira Alenka Anwen Bellis Brisa Calla Cerys Dalia Delwyn Dorrit Edda Elowen Emlyn Enora Esme Fenna Fiora Greta
    Halla Hesper Idony Ilsa Imre Iona Isaura Jessa Jorun Juna Kaia Karsia Kerra Leda Liora Lunet Mabyn Maren Merit
    Mira Morwen Nadia Nerys Nola Odette Olwen Orla Petra Quilla Rhoda Rilla Romy Sable Sanna Senna Sigrun Sunniva
    Tamsin Tessaly Thora Ursa Vanja Verity Vesna Wilma Wren Ylva Yrsa Zelda Zora
    """
)
MEN = _listed(
    """
    Aldric Anselm Arlo Asher Balder Bastian Bram Caius Caspian Corwin Cyprian Dario Davin Dorian Edric Eldon Emeric
    Errol Evander Fabian Falk Florian Gareth Gideon Halvor Hamish Hollis Idris Ivo Jarek Jasper Joren Kasimir Kelvin
    Konrad Lambert Leif Lorcan Lucan Magnus Marek Milo Nestor Niall Oswin Orson Osric Pascal Perrin Quentin Radek
    Rainer Roald Rufus Silas Soren Stellan Tarek Theron Tobin Ulric Valen Viggo Wendel Willem Yorick Zeno Zoltan
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
    Alder Amber Apple Arrow Ash Badger Barley Beacon Birch Black Bramble Briar Bright Broad Brook Cinder Clay Clear
    Clover Cold Copper Coral Crane Crow Dawn Deep Deer Dove Drift Dry Dusk Eagle East Elder Elm Ember Fair Fallow Fern
    Flint Fox Frost Glass Gold Goose Grass Grey Grove Hare Hart Hawk Hay Hazel Heather Heron High Holly Honey Iron Ivy
    Kings Lark Linden Long Maple Marsh Meadow Mill Mist Moss Oak Otter Owl Pine Plum Quarry Queens Rain Raven Red Reed
    Rook Rose Rush Salt Sand Shell Silver Snow Spring Stag Star Stone Storm Sun Swan Thistle Thorn Vale Vine Wheat
    White Wild Willow Wind Wolf
    """
)
TOWN_ENDS = _listed(
    """
    barrow bay borough bourne bridge burgh burn bury by cliff combe cross dale den field ford gate ham haven hill hurst
    leigh mere minster moor mouth port stead stow thorpe ton well wick wood worth
    """
)
TOWN_FRONTS = ("Upper", "Lower", "North", "South", "Great", "Little", "Old", "New", "Port", "Market")
RIVER_ENDS = ("a", "el", "en", "er", "et", "il", "in", "is", "le", "o", "une", "y")
COUNTY_ENDS = ("shire", "mark", "sea", "wold", "march", "fold")
COUNTRY_STARTS = _listed(
    """
    Al Ber Cas Dor Ek Fal Gal Hel Is Jor Kal Lat Mor Nav Or Pal Ques Ral Sar Tal Ul Val Wes Yel Zer
    """
)
COUNTRY_MIDDLES = ("a", "ad", "am", "an", "and", "ar", "em", "en", "er", "ist", "ol", "on", "or", "un")
#: Ending of a country's name and that of its people's.
COUNTRY_ENDS = (("avia", "avian"), ("ia", "ian"), ("ora", "oran"), ("esta", "estan"), ("una", "unan"), ("oa", "oan"))
LANGUAGE_ENDS = ("ish", "ese", "ic", "ari")
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
COLLEGE_WORDS = ("College", "Institute", "Polytechnic", "University", "Academy")

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
