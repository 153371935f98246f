"""What the demo's sites publish. Outlets, people and texts are invented; the Sahel story follows events of 2025."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

SAHEL = "russia-sahel"
DONORS = "donors"
RULES = {SAHEL: "Russia AND (Mali OR Niger OR Burkina Faso)", DONORS: "Halvorsen"}


@dataclass(frozen=True, slots=True)
class Outlet:
    """A site that publishes: its domain, its name, and the format of its feed."""

    domain: str
    name: str
    feed: Literal["rss", "atom"]


@dataclass(frozen=True, slots=True)
class Piece:
    """One article. `story` names the text that it carries and `rules` what must match it: the ground truth."""

    slug: str
    title: str
    summary: str
    paragraphs: tuple[str, ...]
    story: str
    rules: frozenset[str] = frozenset()
    query: str = ""  # of its link, as trackers add it
    shows: str = ""  # what it is here to show


COURIER = Outlet("sahel-courier.example", "Sahel Courier", "rss")
LEDGER = Outlet("northern-ledger.example", "The Northern Ledger", "atom")
MERIDIAN = Outlet("meridian-today.example", "Meridian Today", "rss")
HARBOUR = Outlet("harbour-post.example", "Harbour Post", "atom")
OUTLETS = (COURIER, LEDGER, MERIDIAN, HARBOUR)

WIRE = Piece(
    slug="ministers-at-the-moskva",
    title="Three Sahel ministers pledge closer army ties on visit to Moscow",
    summary="The foreign ministers of the Alliance of Sahel States were received together for the first time.",
    paragraphs=(
        "MOSCOW (Demo Wire) - The top diplomats of Mali, Niger and Burkina Faso sat down with Sergei Lavrov on "
        "Thursday "
        "for a first joint round of talks, and left with promises of weapons, instructors and a common front at the "
        "United Nations.",
        "All three governments came to power through coups between 2020 and 2023. Since then they have sent French "
        "troops home, walked out of the regional bloc ECOWAS and founded a confederation of their own, which plans a "
        "joint force of 5,000 soldiers against the armed groups that hold much of their countryside.",
        "Lavrov told reporters that Russia would help to equip that force and was ready to teach its officers. Courses "
        "could be held on the spot, he added, since specialists from his country already serve there in some number.",
        "Mali's foreign minister, Abdoulaye Diop, called the hosts a partner that keeps its word. He accused Ukraine "
        "of "
        "standing behind rebels in the desert north, the charge over which Bamako closed its embassy ties with Kyiv in "
        "August 2024 after a convoy was ambushed near the Algerian border. Niamey followed within two days.",
        "Ukraine has denied any part in the ambush and says that no proof has ever been shown. Its foreign ministry "
        "described Thursday's accusations as a gift to the people who recruited the mercenaries killed that day.",
        "Western diplomats in the region doubt that the pledges will change much on the ground. One of them, who asked "
        "not to be named, said that fuel and spare parts were worth more to the three armies this year than any number "
        "of new declarations, and that neither had been mentioned in the closing statement.",
        "A second meeting is to take place in Ouagadougou before the end of the year. Trade, uranium and a planned "
        "satellite for mapping are on its agenda, along with visas for some 2,000 students.",
    ),
    story="wire",
    rules=frozenset({SAHEL}),
)
WIRE_TRACKED = replace(
    WIRE,
    slug="world/ministers-moscow-visit",
    title="UPDATE 1-Three Sahel ministers pledge closer army ties on visit to Moscow",
    query="utm_source=rss&utm_medium=feed&utm_campaign=world",
    shows="the same text, with a tracking URL and a GUID of its own",
)
WIRE_CUT = replace(
    WIRE,
    slug="lavrov-hosts-juntas",
    title="Lavrov offers instructors and arms to the juntas' joint force",
    paragraphs=WIRE.paragraphs[:4],
    shows="the same text, cut to half and under another head",
)
WIRE_AGAIN = replace(WIRE, slug="ministers-at-the-moskva-2", shows="a repost under a new GUID and URL, after the alert")

GEOLOGY = Piece(
    slug="geology-school",
    title="Ouagadougou to get a school for geologists with help from abroad",
    summary="An agreement on the training of mining engineers was signed on Friday.",
    paragraphs=(
        "A school for 300 geologists and mining engineers will open in Ouagadougou in two years, the ministry of mines "
        "said after a signing ceremony on Friday.",
        "Burkina Faso puts up the buildings, on a former airfield at the edge of the capital. Russia is to send the "
        "first teachers and the laboratory, and will recognise the diplomas.",
        "Gold makes up most of the country's exports, yet nearly all surveys are still ordered from firms overseas. "
        "Officials hope that graduates will one day read the maps themselves, and find water as well as ore.",
        "The first class is to be chosen by an examination in March; a third of the places are kept for women. Fees "
        "are waived for those who agree to work five years for the state.",
    ),
    story="geology",
    rules=frozenset({SAHEL}),
    shows="a second story that comes in while the daemon runs",
)
HALVORSEN = Piece(
    slug="halvorsen-stays-away",
    title="Defence minister Halvorsen to stay away from donors' conference",
    summary="It is the first time that the country will be represented by an ambassador only.",
    paragraphs=(
        "Defence minister Corin Halvorsen will not travel to next week's conference of military donors, her office "
        "confirmed on Wednesday, and will leave the chair to an ambassador.",
        "Halvorsen had led every meeting of the group since it was founded. A spokesman pointed to a crowded calendar "
        "and said that the country's contributions for the current year were not in question.",
        "Colleagues in other capitals took the news calmly in public. In private, two of them spoke of a turn that had "
        "been visible for months: fewer deliveries, longer delays, and no new budget line after the summer.",
        "The opposition asked for a debate in parliament. It will be held on Tuesday, when the minister is to explain "
        "how the promised air-defence radars will be paid for.",
    ),
    story="halvorsen",
    rules=frozenset({DONORS}),
    shows="its teaser stands in a box on every other page, where it must match nothing",
)
TEASERS = ((HALVORSEN.title, "halvorsen"), ("Russia, Mali and Niger: our reading list for the weekend", "reading-list"))

TRAPS = (
    Piece(
        slug="grain-for-mogadishu",
        title="Grain ship reaches Mogadishu after three weeks at sea",
        summary="The freighter carries 25,000 tonnes of wheat, the first such cargo this season.",
        paragraphs=(
            "A freighter with 25,000 tonnes of wheat from Russia tied up in Mogadishu on Monday, after a detour around "
            "waters where pirates had been seen again.",
            "Somalia grows less than half of the grain that it eats. Bakers in the capital said that the price of a "
            "loaf had doubled since the rains failed, and that they expected relief within days.",
            "The harbour master praised the crew, most of whom come from the Philippines. Unloading will take until "
            "the weekend, because one of the two cranes is being repaired.",
            "Another ship is expected next month. Somalia's trade ministry wants to store a part of its load in new "
            "silos on the road to Baidoa.",
        ),
        story="grain",
        shows="Somalia is not Mali",
    ),
    Piece(
        slug="rails-for-lagos",
        title="Lagos orders spare parts for its suburban railway",
        summary="Wheels, brakes and signals are to arrive before the dry season ends.",
        paragraphs=(
            "Nigeria's largest city has ordered wheels, brakes and signals for the suburban line that broke down four "
            "times in as many weeks, the transport authority announced.",
            "The parts come from a works in Russia that built the carriages in the last decade. Nigeria had first "
            "asked "
            "for offers from five countries, but only one supplier still makes the type.",
            "Commuters greeted the news with patience worn thin. Trains are to run every twelve minutes again by "
            "March, "
            "and ticket prices stay as they are.",
            "A workshop in Ebute Metta will learn to cast brake shoes itself, so that the next order can be smaller.",
        ),
        story="rails",
        shows="Nigeria is not Niger",
    ),
    Piece(
        slug="market-road",
        title="Border market opens again after road is repaired",
        summary="Traders from both sides met for the first time in two years.",
        paragraphs=(
            "Onions, goats and radios changed hands on Sunday at a border market that had been shut for two years, "
            "while the road that leads to it was being rebuilt.",
            "Traders came from Mali and from Niger. Many had driven through the night, and some had brought their "
            "children to show them where the family used to sell cloth.",
            "The road now has culverts that should carry the floods of August. Engineers tested them with a water "
            "truck, to the delight of the crowd.",
            "Customs officers from the two countries share one hut and, for now, one set of scales.",
        ),
        story="market",
        shows="two of the countries, but not Russia",
    ),
    Piece(
        slug="chess-upset",
        title="Village club upsets the favourites at junior chess open",
        summary="A team of four pupils won three of its five games against far stronger players.",
        paragraphs=(
            "Four pupils of a village school beat the junior team of Russia by three games to two, the surprise of the "
            "second day at the Lisbon chess open.",
            "Their club is called Faso, after the grandfather of its founder, and meets in the back room of a bakery. "
            "None of the players has a trainer; they learn from a shelf of old magazines.",
            "The decisive game lasted six hours. Twelve-year-old Ines Matos gave up a rook, then a knight, and mated "
            "with two pawns while the hall held its breath.",
            "On the last day the club meets a team of students from Burkina, a suburb of the host city.",
        ),
        story="chess",
        shows="the words of Burkina Faso, but apart",
    ),
)

OTHERS = (
    Piece(
        slug="tram-line-seven",
        title="Tram line seven runs to the hospital from Saturday",
        summary="Four new stops shorten the way for 9,000 passengers a day.",
        paragraphs=(
            "From Saturday the trams of line seven go on past the old terminus to the university hospital, two years "
            "after the first rails were laid.",
            "Four stops have been added. The city reckons with 9,000 passengers a day, most of whom had to change to a "
            "bus at the bridge until now.",
            "The last stretch was the hardest, since a medieval wall came to light under the street. It can be seen "
            "through a pane of glass at the new stop in Mill Lane.",
            "On the opening weekend rides are free. A brass band plays at every stop on Saturday from ten.",
        ),
        story="tram",
    ),
    Piece(
        slug="heat-from-the-river",
        title="River to heat the old town from next winter",
        summary="Pumps will take warmth from the water and feed it to 1,400 houses.",
        paragraphs=(
            "Three large heat pumps on the quay will warm 1,400 houses of the old town from next winter, the municipal "
            "works have decided.",
            "They draw warmth from the river, which never falls below four degrees. The water goes back two degrees "
            "cooler, and a grille keeps out the fish.",
            "Tenants will pay about as much as for gas today. The works expect prices to be steadier, because the "
            "power "
            "comes from the weir upstream.",
            "Work on the pipes starts in May and moves through the lanes house by house.",
        ),
        story="heat",
    ),
    Piece(
        slug="night-library",
        title="Library tries opening through the night",
        summary="Students had asked for it for years; a test runs until June.",
        paragraphs=(
            "The central library will keep one reading room open around the clock until June, to see who comes.",
            "Students had collected signatures for years. The head of the library was won over by a count of people "
            "who sat on the steps at closing time with their laptops on their knees.",
            "Two guards and a coffee machine are all that the night needs, she said. Loans and returns work by a card.",
            "On the first night 212 people came. The last one left at seven, just as the cleaners opened the windows.",
        ),
        story="library",
    ),
    Piece(
        slug="late-goal",
        title="Late goal keeps Rovers at the top of the table",
        summary="The keeper headed in a corner in the fourth minute of added time.",
        paragraphs=(
            "With the last touch of the match, keeper Tom Adeyi headed in a corner and saved a point for Rovers, who "
            "stay ahead of City by one.",
            "The visitors had led since the twentieth minute and hit the post twice after the break. Rovers found no "
            "way "
            "through until Adeyi ran up the field against his coach's orders.",
            "He would do it again, he said, and then admitted that he had closed his eyes.",
            "Rovers travel to the coast on Sunday without their captain, who is banned for two games.",
        ),
        story="goal",
    ),
)
