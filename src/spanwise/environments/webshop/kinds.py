"""What the shop of our own making sells: kinds of products, what they claim and what can be chosen of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """Products of one sort.

    Attributes:
        category: Department.
        query: What one searches for to find them.
        path: Amazon's categories, the general first.
        names: What single products are called.
        claims: What they may claim: ``machine washable``; ``+long sleeve`` is said with "with", ``>daily wear`` with
            "for".
        options: What can be chosen: name -> values.
        price: Least and greatest, in dollars.
    """

    category: str
    query: str
    path: tuple[str, ...]
    names: tuple[str, ...]
    claims: tuple[str, ...]
    options: dict[str, tuple[str, ...]]
    price: tuple[float, float]


_COLORS = ("black", "white", "navy", "red", "grey", "green", "pink", "brown", "blue", "beige", "wine red", "light blue")
_SIZES = ("x-small", "small", "medium", "large", "x-large", "xx-large", "3x-large")
_SHOE_SIZES = ("6", "6.5", "7", "8", "8.5", "9", "10", "11")
_PACKS = ("1 pack", "2 pack", "3 pack", "6 pack", "12 pack")
_CLOTHES = ("machine wash", "hand wash", "slim fit", "+long sleeve", "+short sleeve", "+elastic waist", ">daily wear")
_FOOD = (
    "gluten free",
    "non gmo",
    "low sugar",
    "plant based",
    "+natural ingredients",
    "+artificial flavors",
    "soy free",
)
_CARE = ("cruelty free", "paraben free", "long lasting", "+essential oils", "+tea tree", ">sensitive skin", ">dry hair")
_HOME = ("easy clean", "heavy duty", "space saving", "+solid wood", "+steel frame", ">living room", ">dining room")
_DEVICE = (
    "high speed",
    "fast charging",
    "easy install",
    "+gold plated",
    "+usb port",
    "+high resolution",
    "water resistant",
)

KINDS = (
    Kind(
        "fashion",
        "men's t-shirts",
        ("Clothing", "Men", "Shirts", "T-Shirts"),
        ("Crew Neck Tee", "Graphic T-Shirt", "Henley Shirt"),
        _CLOTHES,
        {"color": _COLORS, "size": _SIZES},
        (8, 40),
    ),
    Kind(
        "fashion",
        "women's sweaters",
        ("Clothing", "Women", "Sweaters", "Pullovers"),
        ("Knit Sweater", "Turtleneck Pullover", "Cable Cardigan"),
        _CLOTHES,
        {"color": _COLORS, "size": _SIZES},
        (18, 70),
    ),
    Kind(
        "fashion",
        "men's loafers",
        ("Clothing", "Men", "Shoes", "Loafers"),
        ("Penny Loafer", "Driving Moccasin", "Slip-On Shoe"),
        ("slip resistant", "anti slip", "+rubber sole", "+arch support", "+memory foam", ">daily wear"),
        {"color": _COLORS, "size": _SHOE_SIZES},
        (25, 120),
    ),
    Kind(
        "fashion",
        "women's shorts",
        ("Clothing", "Women", "Shorts", "Active"),
        ("Yoga Shorts", "Bike Shorts", "Bermuda Shorts"),
        ("butt lifting", "moisture wicking", "+high waist", "+tummy control", "+drawstring closure", ">gym workout"),
        {"color": _COLORS, "size": _SIZES},
        (9, 35),
    ),
    Kind(
        "beauty",
        "shampoo",
        ("Beauty", "Hair Care", "Shampoo", "Daily"),
        ("Repair Shampoo", "Volume Shampoo", "Scalp Shampoo"),
        _CARE,
        {"scent": ("lavender", "citrus", "coconut", "mint"), "size": ("8 ounce", "12 ounce", "16 ounce", "32 ounce")},
        (6, 35),
    ),
    Kind(
        "beauty",
        "body lotion",
        ("Beauty", "Skin Care", "Body", "Lotion"),
        ("Body Lotion", "Hand Cream", "Body Butter"),
        _CARE,
        {"scent": ("rose", "vanilla", "unscented", "almond"), "size": ("4 ounce", "8 ounce", "16 ounce")},
        (5, 30),
    ),
    Kind(
        "beauty",
        "makeup brushes",
        ("Beauty", "Tools", "Makeup Brushes", "Sets"),
        ("Makeup Brush Set", "Powder Brush", "Eyeshadow Brush"),
        ("cruelty free", "easy clean", "easy carry", "+synthetic hair", "+storage case", ">eye shadow"),
        {"color": _COLORS},
        (7, 45),
    ),
    Kind(
        "beauty",
        "toothbrushes",
        ("Beauty", "Oral Care", "Toothbrushes", "Manual"),
        ("Bamboo Toothbrush", "Travel Toothbrush", "Soft Toothbrush"),
        ("bpa free", "eco friendly", "easy use", "+soft bristles", ">oral hygiene", ">sensitive teeth"),
        {"color": _COLORS, "size": _PACKS},
        (4, 22),
    ),
    Kind(
        "garden",
        "decorative pillows",
        ("Home", "Bedding", "Decorative Pillows", "Throw Pillows"),
        ("Throw Pillow Cover", "Lumbar Cushion", "Velvet Pillow"),
        ("double sided", "machine washable", "super soft", "+printing technology", "+hidden zipper", ">living room"),
        {"color": _COLORS, "size": ("16 x 16 inch", "18 x 18 inch", "20 x 20 inch", "24 x 24 inch")},
        (6, 40),
    ),
    Kind(
        "garden",
        "console tables",
        ("Home", "Furniture", "Living Room", "Tables"),
        ("Console Table", "Sofa Table", "Entryway Table"),
        _HOME,
        {"color": ("walnut", "oak", "black", "white", "rustic brown"), "size": ("40 inch", "48 inch", "55 inch")},
        (70, 380),
    ),
    Kind(
        "garden",
        "bookcases",
        ("Home", "Furniture", "Office", "Bookcases"),
        ("Ladder Bookcase", "Corner Shelf", "Cube Bookshelf"),
        _HOME,
        {"color": ("walnut", "oak", "black", "white"), "size": ("3 tier", "4 tier", "5 tier")},
        (40, 260),
    ),
    Kind(
        "garden",
        "area rugs",
        ("Home", "Decor", "Rugs", "Area Rugs"),
        ("Shag Rug", "Area Rug", "Runner Rug"),
        ("easy clean", "non slip", "stain resistant", "+high density", ">living room", ">dining room"),
        {"color": _COLORS, "size": ("2 x 3 feet", "4 x 6 feet", "5 x 8 feet", "8 x 10 feet")},
        (20, 280),
    ),
    Kind(
        "grocery",
        "granola",
        ("Grocery", "Breakfast", "Cereals", "Granola"),
        ("Oat Granola", "Nut Granola", "Granola Clusters"),
        _FOOD,
        {"flavor name": ("honey almond", "maple pecan", "cocoa", "berry"), "size": _PACKS},
        (5, 45),
    ),
    Kind(
        "grocery",
        "tea",
        ("Grocery", "Beverages", "Tea", "Herbal"),
        ("Herbal Tea", "Green Tea", "Black Tea"),
        ("caffeine free", "individually wrapped", "usda organic", "non gmo", "+natural ingredients", ">gift set"),
        {
            "flavor name": ("chamomile", "peppermint", "ginger lemon", "earl grey"),
            "size": ("20 count", "40 count", "100 count"),
        },
        (4, 40),
    ),
    Kind(
        "grocery",
        "protein bars",
        ("Grocery", "Snacks", "Bars", "Protein"),
        ("Protein Bar", "Nut Bar", "Crisp Bar"),
        (*_FOOD, "high protein"),
        {"flavor name": ("peanut butter", "dark chocolate", "sea salt caramel", "cookie dough"), "size": _PACKS},
        (8, 48),
    ),
    Kind(
        "electronics",
        "hdmi cables",
        ("Electronics", "Accessories", "Cables", "HDMI"),
        ("HDMI Cable", "HDMI Adapter", "Braided Cable"),
        _DEVICE,
        {"color": ("black", "white", "grey"), "size": ("3 feet", "6 feet", "10 feet", "15 feet")},
        (6, 40),
    ),
    Kind(
        "electronics",
        "bluetooth speakers",
        ("Electronics", "Audio", "Speakers", "Portable"),
        ("Bluetooth Speaker", "Shower Speaker", "Mini Speaker"),
        ("water resistant", "easy carry", "hands free", "+stereo sound", "+long battery", "+usb port"),
        {"color": _COLORS},
        (15, 150),
    ),
    Kind(
        "electronics",
        "screen protectors",
        ("Electronics", "Accessories", "Phone", "Screen Protectors"),
        ("Screen Protector", "Privacy Screen", "Glass Film"),
        ("easy install", "ultra hd", "case friendly", "+tempered glass", "+high definition", "+anti glare"),
        {"color": ("clear", "matte", "privacy"), "size": _PACKS},
        (5, 30),
    ),
    Kind(
        "electronics",
        "binoculars",
        ("Electronics", "Optics", "Binoculars", "Compact"),
        ("Compact Binoculars", "Field Glass", "Travel Monocular"),
        ("high power", "non slip", "easy carry", "+high resolution", "+optical zoom", ">bird watching"),
        {"style": ("8x21", "8x42", "10x25", "10x42", "12x42")},
        (20, 190),
    ),
    Kind(
        "electronics",
        "streaming media players",
        ("Electronics", "Television", "Video", "Streaming Players"),
        ("TV Box", "Streaming Stick", "Media Player"),
        ("dual band", "high speed", "easy use", "+quad core", "+remote control", "ultra hd"),
        {"size": ("16 gb", "32 gb", "64 gb", "128 gb")},
        (25, 140),
    ),
)
