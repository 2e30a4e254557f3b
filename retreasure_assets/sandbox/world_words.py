"""The words that people and places are made of.

What belongs here: word lists. What does not: drawing from them (``world_people``). Names are common ones joined at
random and streets do not exist; domains are those reserved by RFC 2606; telephone numbers lie in ranges kept for
fiction (Ofcom, ComReg, ARCEP, Bundesnetzagentur, 555-01xx), or, where a country keeps none, begin with a digit that
no subscriber's number begins with.
"""

from __future__ import annotations

from typing import NamedTuple


class Town(NamedTuple):
    """A town: postcodes are drawn from ``zip_pattern``, where # is a digit and @ a capital letter."""

    city: str
    province: str | None
    province_code: str | None
    zip_pattern: str
    latitude: float
    longitude: float


class Country(NamedTuple):
    """A country that customers live in; names are (as written, as in an e-mail address)."""

    name: str
    locale: str
    phone_pattern: str
    first_names: tuple[tuple[str, str], ...]
    last_names: tuple[tuple[str, str], ...]
    streets: tuple[str, ...]
    towns: tuple[Town, ...]


def _names(text: str) -> tuple[tuple[str, str], ...]:
    """'Aoife Zoë=zoe' -> (('Aoife', 'aoife'), ('Zoë', 'zoe'))."""
    pairs = []
    for word in text.split():
        written, _, plain = word.partition("=")
        pairs.append((written.replace("_", " "), plain or written.replace("_", "").replace("'", "").lower()))
    return tuple(pairs)


COUNTRIES: dict[str, Country] = {
    "IE": Country(
        "Ireland",
        "en-IE",
        "+3532091#####",
        _names(
            "Aoife Saoirse Caoimhe Fiachra Cillian Oisín=oisin Róisín=roisin Tadhg Gráinne=grainne "
            "Eoghan Sorcha Muireann Diarmuid Bláthnaid=blathnaid Ruairí=ruairi Seoirse Clodagh "
            "Donncha Éabha=eabha Pádraic=padraic"
        ),
        _names(
            "Brannigan O'Shaughnessy Kinsellagh Mac_Giolla_Bríde=macgiollabride Ó_Dálaigh=odalaigh "
            "Hanrahan Tuohy-Walsh Geraghty Loughnane Mulcahy Ní_Chonaill=nichonaill Fitzmaurice "
            "Heneghan Prendergast Uí_Cheallaigh=uicheallaigh Scannell Devaney O'Driscoll Cusackson "
            "Tormey-Quin"
        ),
        ("Kestrelmoor Road", "Old Ropewalk Lane", "Tobar Mhuire Terrace", "Harper's Quayside", "Glenamuck Rise"),
        (
            Town("Dublin", "County Dublin", "D", "D0# @#@#", 53.35, -6.26),
            Town("Galway", "County Galway", "G", "H91 @#@#", 53.27, -9.05),
            Town("Cork", "County Cork", "CO", "T12 @#@#", 51.90, -8.47),
            Town("Sligo", "County Sligo", "SO", "F91 @#@#", 54.27, -8.47),
        ),
    ),
    "GB": Country(
        "United Kingdom",
        "en-GB",
        "+447700900###",
        _names(
            "Rosalind Barnaby Philippa Tarquin Winifred Crispin Imogen Ottoline Leopold Henrietta "
            "Alasdair Morwenna Gwenllian Fergus Beatrix Ignatius Araminta Cuthbert Noémie=noemie "
            "Chloë=chloe"
        ),
        _names(
            "Featherstonehaugh Wolstenholme Pemberton-Shaw Threlkeld Ravensworth Ashdowne Quillinan "
            "Hetherington Llewellyn-Pryce Abercrombie Satterthwaite Ormerod Cholmondeley Blenkinsop "
            "Tregarthen Wigglesworth Musgrave-Bell Fotheringham Auchterlonie Penhaligon"
        ),
        ("Larkspur Mews", "St Aldhelm's Walk", "Cinderhill Crescent", "Weavers' Row", "Upper Thornbury Gardens"),
        (
            Town("London", "England", "ENG", "SE# #@@", 51.49, -0.06),
            Town("Bristol", "England", "ENG", "BS# #@@", 51.45, -2.59),
            Town("Edinburgh", "Scotland", "SCT", "EH# #@@", 55.95, -3.19),
            Town("Cardiff", "Wales", "WLS", "CF## #@@", 51.48, -3.18),
        ),
    ),
    "US": Country(
        "United States",
        "en-US",
        "+1###55501##",
        _names(
            "Magnolia Thaddeus Clementine Ezekiel Susannah Montgomery Guadalupe Broderick Evangeline "
            "Truman Marisela Desmond Philomena Ulysses Josefina Leland Winona Octavio Renée=renee "
            "André=andre"
        ),
        _names(
            "Vandermolen Castellanos Whitlockson Delacroix-Hayes Oppenheimer Bancroft-Lee "
            "Hollingshead Núñez=nunez Kowalczyk-Reed Stonebreaker Fairweatherly Montalvo "
            "Birdsong-Cole Applewhite Rasmussen Zimmerlee Peñaloza=penaloza Okonkwo Thibodeaux "
            "Yellowhorse"
        ),
        ("Juniper Hollow Dr", "Old Tannery Rd", "W Saltmarsh Ave", "Prairie Lantern Ct", "Copperleaf Blvd Apt 5B"),
        (
            Town("Brooklyn", "New York", "NY", "112##", 40.68, -73.94),
            Town("Portland", "Oregon", "OR", "972##-####", 45.52, -122.68),
            Town("Austin", "Texas", "TX", "787##", 30.27, -97.74),
            Town("Savannah", "Georgia", "GA", "314##", 32.08, -81.09),
        ),
    ),
    "DE": Country(
        "Germany",
        "de-DE",
        "+493023125###",
        _names(
            "Annegret Wolfgang Friederike Hannelore Jürgen=juergen Käthe=kaethe Lieselotte "
            "Björn=bjoern Ulrike Gottfried Rosemarie Siegfried Mechthild Götz=goetz Wilhelmine "
            "Ekkehard Gudrun Heinrich Sönke=soenke Traudl"
        ),
        _names(
            "Schönhagen=schoenhagen Großmann=grossmann Hufnagel Übelacker=uebelacker Zimmermannski "
            "Wüstenberg=wuestenberg Kreuzpaintner Löwenthal=loewenthal Rautenstrauch "
            "Eichhörnle=eichhoernle Dünnebier=duennebier Falkenrath Hasselbring "
            "Oberländer=oberlaender Sauerwald Quandtmeier Pfefferkorn von_der_Heydt Zuckschwerdt "
            "Brömel=broemel"
        ),
        ("Lindenhofgasse", "Am Ziegelteich", "Bürgermeister-Holm-Straße", "Kranichweg", "Alte Färberstraße"),
        (
            Town("Berlin", None, None, "10###", 52.52, 13.40),
            Town("Hamburg", None, None, "20###", 53.55, 9.99),
            Town("München", None, None, "80###", 48.14, 11.58),
            Town("Görlitz", None, None, "028##", 51.15, 14.99),
        ),
    ),
    "FR": Country(
        "France",
        "fr-FR",
        "+3363998####",
        _names(
            "Jean-Baptiste Océane=oceane Thérèse=therese Maëlys=maelys Gwendoline Aurélien=aurelien "
            "Solène=solene Bérengère=berengere Clothilde Anaïs=anais Hippolyte Ségolène=segolene "
            "Édouard=edouard Capucine Théophile=theophile Apolline Loïc=loic Bérénice=berenice "
            "Gaspard Marguerite"
        ),
        _names(
            "Lefèvre-Dumont=lefevredumont Beaumanoir Châteauneuf=chateauneuf Delacourcelle "
            "Grandmaison d'Harcourville=dharcourville Montclergeon Boisrobert Rochebrune Vaugirardin "
            "Saint-Amour Desrosiers L'Hermitte Pâquerette=paquerette Quesnelier Tourangeau "
            "Villeneuvois Jolivetti Carpentieri Mérimont=merimont"
        ),
        (
            "rue des Tisserands-Bleus",
            "quai de l'Ancienne Forge",
            "allée des Hérons",
            "impasse du Puits d'Or",
            "rue Sainte-Ombeline",
        ),
        (
            Town("Paris", None, None, "750##", 48.86, 2.35),
            Town("Lyon", None, None, "6900#", 45.76, 4.84),
            Town("Nîmes", None, None, "30###", 43.84, 4.36),
            Town("Saint-Étienne", None, None, "42###", 45.44, 4.39),
        ),
    ),
    "NL": Country(
        "Netherlands",
        "nl-NL",
        "+31200######",
        _names(
            "Annemiek Joris-Jan Willemijn Thijmen Liesbeth Marjolein Coenraad Fleurtje Zoëtje=zoetje "
            "Sjoerd Machteld Gijsbert Roelofje Diederik Hendrikje Maarten-Jan Anouschka Pieternel "
            "Wouter-Bas Noëlle=noelle"
        ),
        _names(
            "van_der_Meijden Oosterhuizen de_Graaff-Bos ten_Broekman Hoogendijk van_'t_Zand=vantzand "
            "Schuurmans Koekebakker Vreeswijker Bontenbal van_IJsselstein=vanijsselstein Duyvendak "
            "Kloosterboer Roozenboom Terpstraal Wiersingh Zonnevylle Pannekoeke Brandwijkman "
            "Lindeboomse"
        ),
        ("Reigersgracht", "Oude Tuinderskade", "Korenmolenlaan", "'s-Gravenzandepad", "Zilverschoonstraat"),
        (
            Town("Amsterdam", "Noord-Holland", "NH", "101# @@", 52.37, 4.90),
            Town("Utrecht", "Utrecht", "UT", "351# @@", 52.09, 5.12),
            Town("Groningen", "Groningen", "GR", "971# @@", 53.22, 6.57),
        ),
    ),
    "JP": Country(
        "Japan",
        "ja-JP",
        "+8130#######",
        _names(
            "美咲=misaki 健太郎=kentaro 陽菜子=hinako 翔太朗=shotaro 千尋=chihiro 龍之介=ryunosuke 小百合=sayuri "
            "慎一郎=shinichiro 明日香=asuka 光太郎=kotaro 由紀恵=yukie 源三郎=genzaburo"
        ),
        _names(
            "東雲院=shinonomein 長谷川原=hasegawara 五十嵐田=igarashida 久我山崎=kugayamazaki 水無瀬=minase "
            "小鳥遊=takanashi 勅使河原=teshigawara 西園寺谷=saionjiya 伊集院町=ijuinmachi 綾小路=ayanokoji"
        ),
        ("青柳台二丁目", "桜木通り三丁目", "鶴見坂一丁目", "若葉小路四丁目"),
        (
            Town("東京都渋谷区", "東京都", "JP-13", "150-####", 35.66, 139.70),
            Town("京都市左京区", "京都府", "JP-26", "606-####", 35.04, 135.78),
            Town("札幌市中央区", "北海道", "JP-01", "060-####", 43.06, 141.35),
        ),
    ),
}

#: How often each country's customers turn up.
COUNTRY_WEIGHTS: tuple[tuple[str, int], ...] = (
    ("IE", 26),
    ("GB", 22),
    ("US", 22),
    ("DE", 11),
    ("FR", 8),
    ("NL", 5),
    ("JP", 6),
)

EMAIL_DOMAINS = ("example.com", "example.org", "example.net", "mail.example.com", "post.example.org")

COMPANIES = ("Interiors", "Antiquités", "& Daughters Ltd", "Design GmbH", "Film Props")
