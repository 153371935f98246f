import time
from collections.abc import Iterator
from unittest import mock

from watcher.model import Item
from watcher.query import Document, Node, RuleSet, lexicon, parse, presearch


def rules(**queries: str) -> RuleSet:
    return RuleSet({name: parse(query) for name, query in queries.items()})


def test_in_the_order_of_the_rules_and_only_those_asked_for() -> None:
    ruleset = rules(z="Mali", a="coup", m="Mali AND coup", never="Chad")
    item = Document(body="coup in Mali")
    assert ruleset.names(item) == ["z", "a", "m"]
    assert [match.rule for match in ruleset.match(item, {"m", "z", "never"})] == ["z", "m"]
    assert ruleset.match(item, ()) == []
    assert len(ruleset) == 4


def test_rules_without_anything_to_file_them_under_are_always_judged() -> None:
    ruleset = rules(no="NOT Mali", pattern="/[A-Z]{3}-\\d/", url="url:/sport/", either="Mali OR /x{2}/")
    assert ruleset.names(Document(body="ABC-1")) == ["no", "pattern"]
    assert ruleset.names(Document(body="Mali", url="https://example.org/sport/1")) == ["url", "either"]
    assert ruleset.names(Document()) == ["no"]


def test_spans_mark_the_words_that_decided() -> None:
    text = "The army’s men in Burkina Faso left"
    match = rules(r='"Burkina Faso" NEAR/5 army').match(Document(title="x", body=text))[0]
    assert [text[span.start : span.end] for span in match.spans] == ["army", "Burkina Faso"]
    assert {span.field for span in match.spans} == {"body"}


def test_reuse_compiles_only_what_changed() -> None:
    before = rules(a="Mali NOT coup", gone="Chad", b="Niger", near="coup NEAR/3 army", never="NOT x")
    item = Document(body="Niger and Chad: army coup in Mali")
    assert before.names(item) == ["gone", "b", "near", "never"]
    with mock.patch.object(presearch, "_filed", wraps=presearch._filed) as filed:
        after = before.reuse(
            {
                "c": parse("in Mali"),
                "near": parse("coup NEAR/3 army"),
                "a": parse("Mali NOT coup"),
                "b": parse("Niger OR x"),
                "never": parse("NOT x"),
            }
        )
    assert [call.args[0] for call in filed.call_args_list] == [parse("in Mali"), parse("Niger OR x")]
    assert after.names(item) == ["c", "near", "b", "never"]
    assert after.names(Document(body="Mali x")) == ["a", "b"]
    assert before.names(item) == ["gone", "b", "near", "never"]


def test_document_of_an_item() -> None:
    item = Item("1", "agency", title="Mali", lang="fr", tags=("war",), url="https://news.example.org/x")
    ruleset = rules(tag="tag:ukraine", own="tag:war", site="site:example.org", source="source:Agency", lang="lang:fr")
    assert ruleset.names(Document.of(item, ["ukraine"])) == ["tag", "own", "site", "source", "lang"]


def test_forgetting_what_is_remembered_changes_nothing() -> None:
    ruleset = rules(a="Mali NEAR/2 coup", b="mal*", c="m?li", d="maliciously*")
    item = Document(body="coup in Mali")
    assert ruleset.names(item) == ["a", "b", "c"]
    with mock.patch.object(lexicon, "_MOST", 0):
        assert ruleset.names(item) == ["a", "b", "c"]
        assert ruleset.names(Document(body="maliciousness, maliciously")) == ["b", "d"]
        assert ruleset.names(item) == ["a", "b", "c"]


def test_rules_are_filed_anew_by_what_documents_hold_while_matching_goes_on() -> None:
    item = Document(body="coup in Mali")
    with mock.patch.object(presearch, "LEARNING", 3), mock.patch.object(presearch, "Thread") as thread:
        ruleset = rules(a="Mali AND coup", b="coup NEAR/2 Mali", c="NOT Mali")
        first = ruleset._filed
        for _ in range(3):
            assert ruleset.names(item) == ["a", "b"]
        in_between = ruleset.reuse({"a": parse("Mali AND coup")})
        thread.call_args.kwargs["target"]()
        assert thread.call_count == 1
        assert ruleset.names(item) == ["a", "b"]
        assert not first.learnt
        assert ruleset._filed.learnt
        assert ruleset.reuse({"a": parse("Mali AND coup")})._documents == 3
        assert in_between.names(item) == ["a"]
        assert thread.call_count == 2  # as it could not take over what was not filed yet


def test_many_documents_are_learnt_from_together() -> None:
    items = [Document(body="coup in Mali"), Document(body="coup, coup"), Document()]
    with mock.patch.object(presearch, "LEARNING", 5), mock.patch.object(presearch, "Thread") as thread:
        ruleset = rules(a="Mali AND coup", b="chad")
        assert list(ruleset.names_all(items * 3)) == [["a"], [], []] * 3
        numbers = ruleset._vocabulary.numbers
        assert ruleset._documents == 9
        assert [ruleset._counts[numbers[word]] for word in ("mali", "coup", "chad")] == [3, 6, 0]
        assert thread.call_count == 1


def test_documents_are_looked_at_a_batch_at_a_time_as_they_are_asked_for() -> None:
    ruleset = rules(a="Mali", b="NOT Mali")
    read = []

    def documents(count: int, body: str) -> Iterator[Document]:
        for number in range(count):
            read.append(number)
            yield Document(body=f"{body} {number}")

    with mock.patch.object(ruleset._vocabulary, "presence", wraps=ruleset._vocabulary.presence) as presence:
        assert list(ruleset.names_all(documents(40, "Mali"))) == [["a"]] * 40
        assert [len(call.args[0]) for call in presence.call_args_list] == [16, 16, 8]
        presence.reset_mock()
        assert list(ruleset.names_all(documents(3, "x" * 40_000))) == [["b"]] * 3
        assert [len(call.args[0]) for call in presence.call_args_list] == [1, 1, 1]
        read.clear()
        found = ruleset.match_all(documents(1000, "Mali"))
        assert [match.rule for match in next(found)] == ["a"]
        assert len(read) < 20
        assert list(ruleset.names_all([])) == []


def test_a_word_of_many_pieces_is_its_own() -> None:
    ruleset = rules(
        whole="counterrevolutionaries", start="counterrevolut*", other="counterrevolution", stem='"state counterrev*"'
    )
    item = Document(body="counterrevolutionaries state counterrevolutionists")
    assert ruleset.names(item) == ["whole", "start", "stem"]
    assert ruleset.names(Document(body="counterrevolution")) == ["start", "other"]
    assert ruleset.names(Document(body="counterrev counterrevolutionar counterrevolutionariesx")) == ["start"]


def test_a_text_made_to_be_slow_is_judged_in_time() -> None:
    item = Document(body="mali " * 20_000)
    ruleset = rules(
        near="mali NEAR/50 mali", sentence="mali NEAR/s coup", pair='"mali mali mali"', many="ATLEAST/900(mali)"
    )
    start = time.process_time()
    assert ruleset.names(item) == ["near", "pair", "many"]
    assert time.process_time() - start < 3


def test_many_rules_are_built_in_time() -> None:
    queries: dict[str, Node] = {f"r{n}": parse(f"word{n} AND (other{n % 97} OR third{n % 89})") for n in range(5_000)}
    start = time.process_time()
    ruleset = RuleSet(queries)
    assert time.process_time() - start < 2
    assert ruleset.names(Document(body="word7 other7 word98 third9")) == ["r7", "r98"]
