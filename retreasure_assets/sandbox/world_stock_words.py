"""The words that the stock is made of: what the pieces are, who made them, and of what.

What belongs here: word lists and price ranges. What does not: drawing from them (``world_items``). Titles carry
what real ones do and naive code stumbles over: quotation marks, commas, ampersands, inch signs, accents, other
scripts, an emoji, a line break in a description.
"""

from __future__ import annotations

from typing import NamedTuple


class Category(NamedTuple):
    """A kind of piece; ``low`` and ``high`` bound the shelf price in EUR."""

    name: str
    nouns: tuple[str, ...]
    makers: tuple[str, ...]
    materials: tuple[str, ...]
    low: int
    high: int


CATEGORIES: tuple[Category, ...] = (
    Category(
        "Ceramics",
        ('"Blue Willow" plate, 9½″', "figurine of a heron", "tea caddy", "charger, Ø 36 cm", "jug & basin", "moon jar"),
        ("Meißen", "Spode", "Belleek", "Kähler", "有田焼 Arita", "Sèvres", "Royal Copenhagen"),
        ("porcelain", "earthenware", "stoneware", "bone china"),
        18,
        900,
    ),
    Category(
        "Glass",
        ("cameo vase", "set of six coupes", "paperweight, “millefiori”", "decanter w/ stopper", "ship's bottle"),
        ("Émile Gallé", "Waterford", "Lötz", "Murano", "Orrefors", "unknown maker"),
        ("cut crystal", "cameo glass", "pressed glass", "uranium glass"),
        15,
        1400,
    ),
    Category(
        "Furniture",
        ("side table", "balloon-back chair", "writing slope", "chest of drawers, 3'6\" wide", "étagère", "tansu 箪笥"),
        ("Gillows", "Thonet", "Jacob Frères", "Hicks of Dublin", "unknown maker"),
        ("mahogany", "bog oak", "walnut & ebony", "kiri wood", "bentwood"),
        90,
        3800,
    ),
    Category(
        "Jewellery",
        ("mourning brooch", "signet ring", "pair of drop earrings", "bangle", "Tara brooch", "obidome 帯留"),
        ("Hopkins & Hopkins", "Georg Jensen", "unmarked", "Mikimoto", "Lalique"),
        ("9ct gold", "silver", "jet", "vulcanite", "pearl & platinum"),
        45,
        2600,
    ),
    Category(
        "Clocks & instruments",
        ("carriage clock", "mantel clock", "brass sextant", "pocket barometer", "two-draw telescope"),
        ("Mappin & Webb", "Négretti & Zambra", "Japy Frères", "Junghans", "Dollond"),
        ("brass", "slate & marble", "gilt bronze", "mahogany & brass"),
        60,
        2200,
    ),
    Category(
        "Books & paper",
        (
            "atlas, 12 plates",
            "photograph album",
            "travel poster",
            "first edition",
            'map of "Hibernia"',
            "woodblock print 浮世絵",
        ),
        ("Cuala Press", "Baedeker", "Éditions Hachette", "John Speed", "川瀬巴水 Kawase Hasui"),
        ("paper", "vellum", "half calf", "rag paper"),
        12,
        1100,
    ),
    Category(
        "Toys",
        ("tinplate racer", "teddy bear", "rocking horse", "magic lantern", "daruma doll だるま"),
        ("Märklin", "Steiff", "Ayres", "Bing", "unknown maker"),
        ("tinplate", "mohair", "painted pine", "papier-mâché"),
        20,
        950,
    ),
    Category(
        "Textiles",
        ("sampler", "Kashmir shawl", "linen bedspread", "kimono, 5 crests", "Aubusson fragment", "crochet collar ✨"),
        ("Carrickmacross", "Liberty & Co.", "Fortuny", "unknown maker"),
        ("silk", "linen", "wool", "cotton lace"),
        25,
        1300,
    ),
)

#: What there are several of: small articles beside the one-off pieces.
MULTIPLES: tuple[tuple[str, int, int], ...] = (
    ("Vintage postcard, unused", 2, 6),
    ("Beeswax polish, 200 ml", 9, 14),
    ("Linen tea towel", 11, 18),
    ("Museum wax putty", 6, 9),
    ("Brass picture hook (pair)", 3, 7),
    ("Wooden crate, small", 14, 24),
    ("Gift card box & ribbon 🎁", 4, 6),
)

ERAS = ("Georgian", "Regency", "Victorian", "Edwardian", "Art Nouveau", "Art Déco", "Mid-century", "Meiji", "1970s")

CONDITIONS = ("excellent", "very good", "good", "fair; old repairs", "as found")

CARRIERS: tuple[tuple[str, str], ...] = (
    ("An Post", "https://track.example.org/anpost?id={number}&lang=en"),
    ("DHL Express", "https://track.example.org/dhl/{number}"),
    ("UPS", "https://track.example.org/ups/{number}"),
)
