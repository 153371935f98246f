"""Presearch and evaluation against the plainest evaluator that can be written, on random queries and texts."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from itertools import product
from unittest import mock

import Stemmer
from hypothesis import given, settings
from hypothesis import strategies as st

from watcher.query import Document, Node, RuleSet, explain, inflected, parse, presearch
from watcher.query.ast import And, AtLeast, Field, First, InLanguage, Named, Near, Not, Or, Phrase, Regex, Value, Word
from watcher.query.evaluate import hits as places
from watcher.query.leaves import is_plain, keys_of
from watcher.query.lexicon import Lexicon
from watcher.query.view import FieldText
from watcher.text.fold import chunk, words

# --- the plainest evaluator: lists of words, all pairs, no index ------------------------------------------------------


@dataclass(frozen=True)
class Piece:
    """One word of a text, as written, the written run that it is part of, and where it stands."""

    written: str
    run: str
    sentence: int
    paragraph: int


def plain(word: str) -> str:
    marks = (char for char in unicodedata.normalize("NFD", word.lower()) if not unicodedata.combining(char))
    return "".join(marks)


def pieces(text: str, *, title: bool) -> list[Piece]:
    found = []
    sentence = paragraph = 0
    for block in text.split("\n\n"):
        for run in block.split():
            bare = re.sub(r"'s\b", "", run)
            found += [Piece(word, run.rstrip(".,"), sentence, paragraph) for word in re.findall(r"[^\W_]+", bare)]
            if run.endswith(".") and not title and not re.fullmatch(r"[^\W\d_]\.", run):  # an initial
                sentence += 1
        if not title:
            sentence, paragraph = sentence + 1, paragraph + 1
    return found


def same(word: Word, piece: Piece) -> bool:
    wanted = word.text
    if wanted == "C++":
        return piece.run == "C++"
    if word.exact:
        return piece.written == wanted
    if word.stem and wanted.isalpha():
        return ENGLISH.stemWord(plain(wanted)) == ENGLISH.stemWord(plain(piece.written))
    accented = plain(wanted) != wanted.lower()
    forms = {piece.written.lower()} if accented else {plain(piece.written)}
    if accented and piece.written.isupper() and plain(piece.written) == piece.written.lower():
        forms.add(plain(piece.written))
        wanted = wanted if piece.written.lower() == wanted.lower() else plain(wanted)
    pattern = re.escape(wanted.lower()).replace(r"\*", r"\w*").replace(r"\?", r"\w")
    return any(re.fullmatch(pattern, form) for form in forms)


ENGLISH = Stemmer.Stemmer("en")


def parts(word: Word) -> list[Word]:
    return [Word(part, word.exact, stem=word.stem) for part in re.split(r"[-']", word.text)]


Hit = tuple[int, int, frozenset[int]]


class Pieces(list[Piece]):
    """A text's words, and the language of the item."""

    lang = "und"


def runs(words: list[Word], text: list[Piece]) -> set[Hit]:
    size = len(words)
    return {
        (at, at + size - 1, frozenset(range(at, at + size)))
        for at in range(len(text) - size + 1)
        if all(same(word, text[at + n]) for n, word in enumerate(words))
    }


def hits(node: Node, text: Pieces) -> set[Hit]:
    match node:
        case Word():
            return runs(parts(node), text)
        case Phrase(words=words, loose=None):
            return runs([part for word in words for part in parts(word)], text)
        case Phrase(words=words, loose=loose):
            found = hits(words[0], text)
            for word in words[1:]:
                found = near(found, hits(word, text), text, loose, "w", True)
            return found
        case Or(children=below):
            return set().union(*(hits(child, text) for child in below))
        case Near():
            left, right = hits(node.left, text), hits(node.right, text)
            return near(left, right, text, node.distance, node.unit, node.ordered)
        case Named(child=child):
            return hits(child, text)
        case InLanguage(lang=lang, child=child):
            return hits(child, text) if text.lang in (lang, "und") else set()
    raise AssertionError(node)


def near(
    left: set[Hit], right: set[Hit], text: list[Piece], distance: int | None, unit: str, ordered: bool
) -> set[Hit]:
    found = set()
    for one, other in product(left, right):
        if one[2] & other[2] or (ordered and other[0] <= one[1]):
            continue
        low, high = min(one[0], other[0]), max(one[1], other[1])
        if distance is not None:
            gap = max(0, other[0] - one[1] - 1, one[0] - other[1] - 1)
            if gap > distance:
                continue
        else:
            of = "sentence" if unit == "s" else "paragraph"
            if getattr(text[low], of) != getattr(text[high], of):
                continue
        found.add((low, high, one[2] | other[2]))
    return found


def judge(
    node: Node, document: Document, fields: tuple[str, ...] = ("title", "summary", "body"), limit: int = 10**6
) -> bool:
    texts = {name: Pieces(pieces(getattr(document, name), title=name == "title")) for name in fields if name in TEXTS}
    for text in texts.values():
        text.lang = document.lang
    match node:
        case And(children=below):
            return all(judge(child, document, fields, limit) for child in below)
        case Or(children=below):
            return any(judge(child, document, fields, limit) for child in below)
        case Not(child=child):
            return not judge(child, document, fields, limit)
        case Named(child=child):
            return judge(child, document, fields, limit)
        case InLanguage(lang=lang, child=child):
            return document.lang in (lang, "und") and judge(child, document, fields, limit)
        case Field(name=name, child=child):
            return judge(child, document, (name,), limit)
        case First(count=count, child=child):
            return any(judge(child, document, (name,), min(limit, count)) for name in fields)
        case AtLeast(count=count, child=child):
            return any(most({hit for hit in hits(child, text) if hit[1] < limit}) >= count for text in texts.values())
        case Regex(pattern=pattern):
            return any(re.search(pattern, cut(document, name, limit)) for name in fields)
        case Value(text=value):
            own = {"lang": document.lang, "source": document.source}
            return value in document.tags if fields == ("tag",) else own[fields[0]] == value
    return any(hit[1] < limit for text in texts.values() for hit in hits(node, text))


TEXTS = ("title", "summary", "body")


def cut(document: Document, name: str, limit: int) -> str:
    text: str = getattr(document, name)
    ends = [found.end(1) for found in re.finditer(r"([^\W_]+)(?:'s\b)?", text)]
    return text[: ends[limit - 1]] if limit < len(ends) else text


def most(found: set[Hit]) -> int:
    count, last = 0, -1
    for hit in sorted(found, key=lambda hit: hit[1]):
        if hit[0] > last:
            count, last = count + 1, hit[1]
    return count


# --- random texts and queries -----------------------------------------------------------------------------------------

RUNS = (
    "Россия России Нигер Нигером Нигерия Мали Путин Путиным مالي وبمالي المالية attack attacked attacks "
    "Mali mali MALI Malian Niger nigeria Café cafe CAFE café women woman US us war-torn Mali's d'Or C++ C Russia"
).split()
WORDS = (
    "Россия Нигер Мали Путин مالي attack attacking "
    "mali niger café cafe women russia us war torn or c nigeria absent war-torn d'or C++ niger* mal?* wom?n caf* café*"
).split()

texts = st.lists(
    st.tuples(st.sampled_from(RUNS), st.sampled_from([" ", " ", " ", ", ", ". The ", "\n\nThe ", " - "])), max_size=14
).map(lambda found: "".join(word + gap for word, gap in found))

documents = st.builds(
    Document,
    title=texts,
    summary=st.one_of(st.just(""), texts),
    body=texts,
    source=st.sampled_from(["one", "two"]),
    lang=st.sampled_from(["en", "fr", "und"]),
    tags=st.lists(st.sampled_from(["war", "peace"]), unique=True).map(tuple),
)

plain_words = st.sampled_from(WORDS).map(Word)
word_nodes = st.one_of(
    plain_words, plain_words, st.sampled_from(["US", "Mali", "Café"]).map(lambda text: Word(text, True))
)
phrases = st.builds(
    Phrase, st.lists(word_nodes, min_size=2, max_size=3).map(tuple), st.sampled_from([None, None, 0, 1, 3])
)


def near_of(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    by_words = st.builds(Near, inner, inner, st.integers(0, 5), st.just("w"), st.booleans())
    return st.one_of(by_words, by_words, st.builds(Near, inner, inner, st.none(), st.sampled_from("sp")))


def several(kind: type, inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    return st.builds(kind, st.lists(inner, min_size=2, max_size=3).map(tuple))


def languages(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    part = st.builds(InLanguage, st.sampled_from(["en", "fr"]), inner)
    return st.one_of(part, st.lists(part, min_size=2, max_size=3).map(lambda found: Or(tuple(found))))


TERMS: dict[str, Node] = {"sahel": Or((Word("mali"), Word("niger"))), "fr": Phrase((Word("café"), Word("mali")))}
TERMS["concept"] = Or((InLanguage("en", Word("mali")), InLanguage("fr", Phrase((Word("café"), Word("mali"))))))
TERMS["russia"] = inflected(parse("Россия OR Нигер Мали OR مالي"), ("ru", "ar"))
named = st.sampled_from(sorted(TERMS)).map(lambda name: Named(name, TERMS[name]))
placed: st.SearchStrategy[Node] = st.recursive(
    st.one_of(word_nodes, word_nodes, phrases, named),
    lambda inner: st.one_of(several(Or, inner), near_of(inner)),
    max_leaves=4,
)
patterns = st.sampled_from(["Mal[a-z]+", "(?i)niger", "US", "o.*n", "Café"]).map(Regex)
leaves = st.one_of(placed, placed, placed, patterns, st.builds(AtLeast, st.integers(1, 3), placed))


def booleans(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    return st.one_of(
        several(And, inner), several(Or, inner), inner.map(Not), st.builds(First, st.integers(1, 9), inner)
    )


free = st.recursive(leaves, booleans, max_leaves=5)  # without fields
values = {"lang": ["en", "fr", "de"], "tag": ["war", "peace", "x"], "source": ["one", "three"]}
own_fields = st.sampled_from(sorted(values)).flatmap(
    lambda name: st.sampled_from(values[name]).map(lambda value: Field(name, Value(value)))
)
text_fields = st.builds(Field, st.sampled_from(TEXTS), free)
queries: st.SearchStrategy[Node] = st.recursive(
    st.one_of(free, free, text_fields, own_fields),
    lambda inner: st.one_of(several(And, inner), several(Or, inner), inner.map(Not)),
    max_leaves=4,
)

inflections = st.builds(
    inflected, queries, st.sampled_from([(), ("ru",), ("ru", "ar")]), st.sampled_from(["", "", "en"])
)
concepts = st.one_of(
    inflections,
    st.builds(
        lambda name, child, other: And((Named(name, child), other)), st.just("own"), languages(free), inflections
    ),
    inflections.map(Not),
)

few_words = st.sets(st.sampled_from(["mali", "niger", "war"]).map(Word), min_size=1, max_size=2)
few_texts = st.lists(st.sampled_from(["Mali", "niger,", "War", "x", "y", "z-z"]), max_size=7).map(" ".join)
few_documents = st.builds(Document, title=few_texts, body=few_texts)

many = settings(max_examples=400, deadline=None)


def holds(node: Node, document: Document) -> bool:
    return RuleSet({"q": node}).names(document) == ["q"]


@many
@given(st.lists(queries, min_size=1, max_size=12), st.lists(documents, min_size=1, max_size=4))
def test_many_rules_equal_the_plain_evaluator(nodes: list[Node], items: list[Document]) -> None:
    ruleset = RuleSet({f"r{number}": node for number, node in enumerate(nodes)})
    for item in items:
        expected = [f"r{number}" for number, node in enumerate(nodes) if judge(node, item)]
        assert ruleset.names(item) == expected
        assert [match.rule for match in ruleset.match(item)] == expected
        assert [match.rule for match in ruleset.match(item, {"r0"})] == [name for name in expected if name == "r0"]


@many
@given(
    st.lists(st.one_of(queries, concepts), min_size=1, max_size=8),
    st.lists(st.one_of(documents, st.just(Document())), max_size=9),
    st.integers(1, 5),
    st.sampled_from([1, 60, 10**6]),
)
def test_documents_together_are_each_by_itself(
    nodes: list[Node], items: list[Document], most: int, characters: int
) -> None:
    ruleset = RuleSet({f"r{number}": node for number, node in enumerate(nodes)})
    expected = [[f"r{number}" for number, node in enumerate(nodes) if judge(node, item)] for item in items]
    with (
        mock.patch.object(presearch, "MOST_DOCUMENTS", most),
        mock.patch.object(presearch, "MOST_CHARACTERS", characters),
    ):
        assert list(ruleset.names_all(items)) == expected
        assert list(ruleset.match_all(items, most=characters)) == [ruleset.match(item) for item in items]
        some = list(ruleset.match_all(iter(items), {"r0"}, most=characters))
    assert [[match.rule for match in one] for one in some] == [[r for r in names if r == "r0"] for names in expected]


@many
@given(st.lists(few_documents, min_size=2, max_size=16), few_words, few_words, st.integers(0, 3), st.booleans())
def test_nothing_is_near_or_beside_what_stands_in_another_document(
    items: list[Document], left: set[Word], right: set[Word], distance: int, ordered: bool
) -> None:
    nodes = [
        Near(Or(tuple(left)), Or(tuple(right)), distance, ordered=ordered),
        *(Phrase((one, other)) for one, other in product(left, right)),
    ]
    found = RuleSet({f"r{number}": node for number, node in enumerate(nodes)}).names_all(items)
    assert list(found) == [[f"r{number}" for number, node in enumerate(nodes) if judge(node, item)] for item in items]


def test_each_word_alone_is_found_where_it_stands() -> None:
    """A rule by itself: what another rule makes known must not be what finds it."""
    for text in WORDS:
        word = Word(text)
        ruleset = RuleSet({"q": word})
        for run in RUNS:
            item = Document(body=run)
            assert (ruleset.names(item) == ["q"]) is judge(word, item), (text, run)


def test_each_two_words_alone_are_found_where_they_stand() -> None:
    body = Document(body=" ".join(RUNS))
    for one, other in product(WORDS, repeat=2):
        for node in (Phrase((Word(one), Word(other))), Near(Word(one), Word(other), 1), And((Word(one), Word(other)))):
            assert (RuleSet({"q": node}).names(body) == ["q"]) is judge(node, body), node


# --- each quick way against the slow one ------------------------------------------------------------------------------

folded = [word for word in WORDS if is_plain(keys_of(word)[0]) and len(keys_of(word)) == 1]
folded_words = st.sampled_from(folded).map(Word)
SPECIAL = [
    *(Word(text, exact=True) for text in ("US", "Mali")),
    *map(Word, ("mal*", "mali*", "niger*", "caf*", "café*", "café", "wom?n", "mal?*", "us")),
]
folded_phrases = st.builds(Phrase, st.lists(folded_words, min_size=2, max_size=3).map(tuple))


@many
@given(
    st.lists(st.one_of(phrases, folded_phrases, queries), min_size=1, max_size=12),
    documents,
    st.sampled_from([0, 2, 10**6]),
)
def test_rules_are_found_alike_however_they_are_filed(nodes: list[Node], item: Document, many: int) -> None:
    with mock.patch.object(presearch, "MANY", many):
        names = RuleSet({f"r{number}": node for number, node in enumerate(nodes)}).names(item)
    assert names == [f"r{number}" for number, node in enumerate(nodes) if judge(node, item)]


@many
@given(folded_phrases, texts)
def test_a_phrase_read_off_the_words_is_the_phrase_by_places(phrase: Phrase, text: str) -> None:
    field = FieldText(Lexicon(phrase.keys), "body", text)
    assert field.side_by_side(phrase.keys) == bool(hits(phrase, pieces(text, title=False)))


@many
@given(few_words, few_words, st.integers(0, 3), st.booleans(), few_texts)
def test_near_read_off_the_words_is_near_by_places(
    left: set[Word], right: set[Word], distance: int, ordered: bool, text: str
) -> None:
    node = Near(Or(tuple(left)), Or(tuple(right)), distance, ordered=ordered)
    field = FieldText(Lexicon(()), "body", text)
    sides = [frozenset(word.keys[0] for word in words) for words in (left, right)]
    assert field.near(sides[0], sides[1], distance, ordered) == bool(places(node, field))
    assert holds(node, Document(body=text)) == judge(node, Document(body=text))


@many
@given(documents)
def test_a_text_is_its_words_wherever_they_are_asked_for(item: Document) -> None:
    field = FieldText(Lexicon(["caf*", "=US", "C++"]), "body", item.body)
    assert field.tokens == [plain(piece.written) for piece in pieces(item.body, title=False)]
    for word in set(field.tokens):
        assert [first for first, _ in field.places(word)] == [n for n, one in enumerate(field.tokens) if one == word]


@many
@given(
    st.sets(st.sampled_from(SPECIAL), min_size=4),
    st.builds(
        "{}{}{}".format, st.sampled_from(["", "(", "."]), st.sampled_from(RUNS), st.sampled_from(["", ".", ",)"])
    ),
)
def test_what_a_chunk_holds_is_what_the_plain_evaluator_finds_in_it(wanted: set[Word], written: str) -> None:
    lexicon = Lexicon(key for word in wanted for key in word.keys)
    field = FieldText(lexicon, "body", written)
    for word in wanted:
        found = judge(word, Document(body=written))
        assert all(map(field.holds, word.keys)) is found
        if len(word.keys) == 1:
            assert bool(field.places(word.keys[0])) is found


@many
@given(
    st.text(
        st.sampled_from("aAsS'’`.,_- \n\t“”–—…\xa0ïéßМиС1中ア。\u0301ǆﬁ\x00\x1c\x85\u2028«»„゙ـًאِ"),
        max_size=25,
    )
    | st.text(max_size=20)
)
def test_words_read_quickly_are_the_words_of_the_chunks(text: str) -> None:
    assert words(text) == [token.plain for written in text.split() for token in chunk(written).tokens]


@many
@given(st.lists(concepts, min_size=1, max_size=8), st.lists(documents, min_size=1, max_size=4))
def test_forms_stems_and_languages_equal_the_plain_evaluator(nodes: list[Node], items: list[Document]) -> None:
    ruleset = RuleSet({f"r{number}": node for number, node in enumerate(nodes)})
    for item in items:
        expected = [f"r{number}" for number, node in enumerate(nodes) if judge(node, item)]
        assert ruleset.names(item) == expected
        assert [match.rule for match in ruleset.match(item)] == expected
        for number, node in enumerate(nodes):
            explanation = explain(node, item)
            assert explanation.holds is (f"r{number}" in expected)


@many
@given(queries)
def test_the_text_of_a_tree_parses_to_it(node: Node) -> None:
    assert parse(str(node), TERMS) == node


@given(queries, queries, documents)
def test_de_morgan(one: Node, other: Node, item: Document) -> None:
    assert holds(Not(And((one, other))), item) == holds(Or((Not(one), Not(other))), item)
    assert holds(Not(Or((one, other))), item) == holds(And((Not(one), Not(other))), item)


@given(placed, placed, st.sampled_from([(0, "w"), (2, "w"), (5, "w"), (None, "s"), (None, "p")]), documents)
def test_near_is_symmetric(one: Node, other: Node, reach: tuple[int | None, str], item: Document) -> None:
    assert holds(Near(one, other, *reach), item) == holds(Near(other, one, *reach), item)


@given(placed, placed, st.integers(0, 5), documents)
def test_ordered_is_one_half_of_near(one: Node, other: Node, distance: int, item: Document) -> None:
    if holds(Near(one, other, distance, ordered=True), item):
        assert holds(Near(one, other, distance), item)


@given(queries, queries, documents)
def test_another_branch_loses_nothing(one: Node, other: Node, item: Document) -> None:
    if holds(one, item):
        assert holds(Or((one, other)), item)


@given(queries, documents)
def test_spans_are_words_of_the_text(node: Node, item: Document) -> None:
    for match in RuleSet({"q": node}).match(item):
        last = {"title": 0, "summary": 0, "body": 0}
        for span in match.spans:
            text: str = getattr(item, span.field)
            assert last[span.field] <= span.start < span.end <= len(text)
            last[span.field] = span.end


@settings(max_examples=25, deadline=None)
@given(st.lists(queries, min_size=3, max_size=20), st.lists(documents, min_size=2, max_size=6))
def test_what_is_learnt_and_reused_changes_nothing(nodes: list[Node], items: list[Document]) -> None:
    before = RuleSet({f"r{number}": node for number, node in enumerate(nodes)})
    fresh = [before.names(item) for item in items]
    for _ in range(260 // len(items) + 1):
        for item in items:
            before.names(item)
    assert [before.names(item) for item in items] == fresh
    half = {f"r{number}": node for number, node in enumerate(nodes) if number % 2}
    after = before.reuse({**half, "new": Word("mali")})
    for item in items:
        assert after.names(item) == RuleSet({**half, "new": Word("mali")}).names(item)
