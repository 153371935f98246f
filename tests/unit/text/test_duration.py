import pytest
from pydantic import BaseModel, ValidationError

from watcher.text.duration import Duration, format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("5m", 300),
        ("2h", 7200),
        ("7d", 604800),
        ("1w", 604800),
        ("1h30m", 5400),
        ("1.5h", 5400),
        ("250ms", 0.25),
    ],
)
def test_reads_what_users_write(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-5m", "5 minutes", "m", "1e3s", "5m!", "٣m", "1h 30", "9999999999w"])
def test_refuses_the_rest(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


def test_a_bare_number_is_told_its_units() -> None:
    with pytest.raises(ValueError, match="30s, 30m, 30h or 30d"):
        parse_duration("30")


def test_in_a_model() -> None:
    class Model(BaseModel):
        every: Duration

    assert Model.model_validate({"every": "5m"}).every == 300
    assert Model(every=2.5).every == 2.5
    assert Model.model_json_schema()["properties"]["every"]["type"] == "string"
    with pytest.raises(ValidationError):
        Model.model_validate({"every": -1})


@pytest.mark.parametrize("text", ["1d", "1h30m", "59s", "2d5m", "0s"])
def test_formats_back(text: str) -> None:
    assert format_duration(parse_duration(text)) == text
