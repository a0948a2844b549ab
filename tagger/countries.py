"""Names of countries and territories as the reports on trafficking have written them since 2001."""

from __future__ import annotations

import re
import unicodedata

_NAMES = """
Afghanistan; Albania; Algeria; Andorra; Angola; Antigua and Barbuda; Argentina; Armenia; Aruba; Australia; Austria; Azerbaijan;
Bahamas; Bahrain; Bangladesh; Barbados; Belarus; Belgium; Belize; Benin; Bhutan; Bolivia; Bosnia and Herzegovina; Botswana;
Brazil; Brunei; Bulgaria; Burkina Faso; Burma; Burma (Myanmar); Myanmar; Burundi; Cabo Verde; Cape Verde; Cambodia; Cameroon;
Canada; Central African Republic; Chad; Chile; China; China (People's Republic of China); People's Republic of China; Colombia;
Comoros; Congo; Republic of the Congo; Congo, Republic of the; Democratic Republic of the Congo; Congo, Democratic Republic of
the; Costa Rica; Côte d'Ivoire; Ivory Coast; Croatia; Cuba; Curaçao; Cyprus; Czech Republic; Czechia; Denmark; Djibouti; Dominica;
Dominican Republic; Ecuador; Egypt; El Salvador; Equatorial Guinea; Eritrea; Estonia; Eswatini; Swaziland; Ethiopia; Fiji;
Finland; France; Gabon; Gambia; Georgia; Germany; Ghana; Greece; Grenada; Guatemala; Guinea; Guinea-Bissau; Guyana; Haiti;
Honduras; Hong Kong; Hungary; Iceland; India; Indonesia; Iran; Iraq; Ireland; Israel; Italy; Jamaica; Japan; Jordan; Kazakhstan;
Kenya; Kiribati; North Korea; South Korea; Democratic People's Republic of Korea; Korea, Democratic People's Republic of; Korea,
North; Korea, South; Korea, Republic of; Republic of Korea; Kosovo; Kuwait; Kyrgyz Republic; Kyrgyzstan; Laos; Lao People's
Democratic Republic; Latvia; Lebanon; Lesotho; Liberia; Libya; Liechtenstein; Lithuania; Luxembourg; Macau; Macao; Macedonia;
North Macedonia; Madagascar; Malawi; Malaysia; Maldives; Mali; Malta; Marshall Islands; Mauritania; Mauritius; Mexico; Micronesia;
Federated States of Micronesia; Micronesia, Federated States of; Moldova; Monaco; Mongolia; Montenegro; Morocco; Mozambique;
Namibia; Nauru; Nepal; Netherlands; Netherlands Antilles; New Zealand; Nicaragua; Niger; Nigeria; Norway; Oman; Pakistan; Palau;
Panama; Papua New Guinea; Paraguay; Peru; Philippines; Poland; Portugal; Qatar; Romania; Russia; Russian Federation; Rwanda;
Samoa; San Marino; São Tomé and Príncipe; Saudi Arabia; Senegal; Serbia; Serbia and Montenegro; Seychelles; Sierra Leone;
Singapore; Sint Maarten; St. Maarten; Slovakia; Slovak Republic; Slovenia; Solomon Islands; Somalia; South Africa; South Sudan;
Spain; Sri Lanka; St. Kitts and Nevis; Saint Kitts and Nevis; St. Lucia; Saint Lucia; St. Vincent and the Grenadines; Saint
Vincent and the Grenadines; Sudan; Suriname; Sweden; Switzerland; Syria; Taiwan; Tajikistan; Tanzania; Thailand; Timor-Leste; East
Timor; Togo; Tonga; Trinidad and Tobago; Tunisia; Turkey; Türkiye; Turkmenistan; Tuvalu; Uganda; Ukraine; United Arab Emirates;
United Kingdom; United States; United States of America; Uruguay; Uzbekistan; Vanuatu; Vatican City; Venezuela; Vietnam; Viet Nam;
Yemen; Zambia; Zimbabwe
"""


def plain_name(name: str) -> str:
    """Return the name as names are compared: in lower case, without accents and article, with straight apostrophes."""
    if not name.isascii():
        name = unicodedata.normalize("NFKD", name.replace("\u2019", "'")).encode("ascii", "ignore").decode()
    bare = name.lower()
    return re.sub(r"^the |,? the$", "", " ".join(bare.split()))


_KNOWN = {plain_name(name): name.strip() for name in _NAMES.replace("\n", " ").split(";")}
_STARTS = {name[:3] for name in _KNOWN} | {"the"}


def known_country(name: str) -> str | None:
    """Return the usual writing of a country's name given in any case, with or without accents and article; None if it is none.

    >>> known_country("THE GAMBIA"), known_country("Cote d\u2019Ivoire"), known_country("Prosecution")
    ('Gambia', "Côte d'Ivoire", None)
    """
    # Every line of a report is asked about: the first letters tell most of them from a name at once.
    if len(name) > 60 or (name.isascii() and name[:3].lower() not in _STARTS):
        return None
    return _KNOWN.get(plain_name(name))
