"""Mapping files: mistakes in one sentence, inheritance, overriding, and the entities that follow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from retreasure_assets.entities import Identity, Mask
from retreasure_assets.errors import ConfigurationError
from retreasure_assets.sources.files import entities, load_mappings
from retreasure_assets.sources.files.catalogue import parse_mapping

BASE = "source: shop\nentity: things\npattern: '*.csv'\nnatural_key: id\n"


def write(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "holds no keys"),
        ("- a\n- b\n", "holds no keys"),
        ("a: [1\n", "no valid YAML: line"),
        ("source: a\nsource: b\n", "'source' is written twice"),
        ("entity: things\npattern: '*'\ncolumns: {id: id}\n", "the key source is missing"),
        (BASE + "columns: {id: id}\ndelimeter: ';'\n", "the key delimeter is unknown (did you mean delimiter?)"),
        (BASE + "columns: {id: {column: id, typ: text}}\n", "the key columns.id.typ is unknown (did you mean type?)"),
        (BASE + "columns: {id: {column: id, type: numeral}}\n", "columns.id.type: Input should be 'text', 'integer'"),
        (BASE + "columns: {id: {column: id, type: enum}}\n", "columns.id: values belongs to type enum"),
        (BASE + "columns: {id: {column: id, extract: '('}}\n", "no regular expression"),
        (BASE + "columns: {id: {column: id, extract: 'a'}}\n", "exactly one group"),
        (BASE + "columns: {id: {column: id, type: date, formats: dd/mm/yy}}\n", "strptime codes"),
        (BASE + "columns: {id: id}\ntime_zone: Dublin\n", "time_zone: 'Dublin' is no IANA time zone"),
        (BASE + "columns: {id: id}\nencoding: latin9\n", "encoding: Input should be 'utf-8'"),
        (BASE + "columns: {id: id}\nformat: excel\n", "format: Input should be 'csv' or 'jsonl'"),
        (BASE + "columns: {id: id}\nheader: false\n", "header: false needs it"),
        (BASE + "columns: {id: id}\ncolumn_names: [id]\n", "column_names belongs to header: false"),
        (BASE + "columns: {id: nr}\nheader: false\ncolumn_names: [id]\n", "'nr', which column_names lacks"),
        (BASE + "columns: {id: id}\ndelimiter: ';;'\n", "delimiter"),
        (BASE + "columns: {id: id}\ndelimiter: '\"'\n", "neither the quote nor a line end"),
        (BASE, "csv needs columns"),
        (BASE + "format: jsonl\nconstants: {a: b}\n", "need columns"),
        (BASE + "format: jsonl\nheader: false\ncolumns: {id: id}\n", "belong to csv"),
        (BASE + "columns: {id: id}\nconstants: {id: x}\n", "'id' is filled twice"),
        (BASE + "columns: {other: id}\n", "natural_key uses the field 'id'"),
        (BASE + "columns: {id: id}\nupdated_at: changed\n", "updated_at uses the field 'changed'"),
        (BASE + "columns: {id: id}\nupdated_at: id\n", "must be a date or datetime"),
        (BASE + "columns: {id: id}\nmasks: {name: redact}\n", "masks uses the field 'name'"),
        (BASE + "columns: {id: id}\nmasks: {id: hide}\n", "masks.id: Input should be 'redact'"),
        (BASE + "columns: {id: id}\nidentities: [{kind: email, path: mail}]\n", "identities uses the field 'mail'"),
        (BASE + "columns: {id: id}\nsummary_rows: {empty: t}\n", "summary_rows needs carry_forward"),
        (BASE.replace("source: shop", "source: My Shop") + "columns: {id: id}\n", "source: String should match"),
        (BASE + "extends: nothing\n", "extends 'nothing' is unknown; known mappings are"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_file_and_key(tmp_path: Path, text: str, says: str) -> None:
    write(tmp_path, "mine.yaml", text)
    with pytest.raises(ConfigurationError) as caught:
        load_mappings(tmp_path)
    message = str(caught.value)
    assert "mine.yaml" in message
    assert says in message
    assert "docs/file-mappings.md" in message
    assert "\n" not in message
    assert "pydantic" not in message


def test_nothing_of_yaml_is_guessed() -> None:
    text = BASE + "columns: {id: 1:30, on: no}\nconstants: {day: 2026-01-01, number: 1.50, country: NO}\n"
    mapping = parse_mapping(text, "mine.yaml")
    assert mapping.columns["id"].column == ("1:30",)
    assert mapping.columns["on"].column == ("no",)
    assert mapping.constants == {"day": "2026-01-01", "number": "1.50", "country": "NO"}


def test_a_user_folder_adds_and_overrides(tmp_path: Path) -> None:
    write(tmp_path, "things.yaml", BASE + "columns: {id: id}\n")
    write(tmp_path, "pos_products.yml", "extends: pos_products\ndelimiter: '|'\ncolumns: {era: null, price: Price}\n")
    mappings = {each.name: each for each in load_mappings(tmp_path)}
    assert set(mappings) == {each.name for each in load_mappings(None)} | {"things"}
    changed = mappings["pos_products"]
    assert changed.delimiter == ("|",)
    assert "era" not in changed.columns
    # Only the name is given anew: the column is still money.
    assert (changed.columns["price"].column, changed.columns["price"].type) == (("Price",), "money")
    assert changed.natural_key == ("item_id",)


def test_own_mappings_are_tried_first(tmp_path: Path) -> None:
    write(tmp_path, "till.yaml", "extends: pos_transactions\npattern: ['till*.csv']\n")
    order = [each.name for each in load_mappings(tmp_path) if each.entity == "transactions"]
    assert order == ["till", "pos_transactions"]


def test_extending_in_a_circle_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "one.yaml", "extends: two\n")
    write(tmp_path, "two.yaml", "extends: one\n")
    with pytest.raises(ConfigurationError, match="leads back to itself"):
        load_mappings(tmp_path)


def test_other_files_and_equal_names_are_refused(tmp_path: Path) -> None:
    write(tmp_path, ".hidden", "")
    assert load_mappings(tmp_path) == load_mappings(tmp_path / "nowhere") == load_mappings(None)
    write(tmp_path, "a.yaml", "name: same\n" + BASE + "columns: {id: id}\n")
    write(tmp_path, "b.yaml", "name: same\n" + BASE + "columns: {id: id}\n")
    with pytest.raises(ConfigurationError, match=r"a\.yaml and b\.yaml have the same name"):
        load_mappings(tmp_path)
    write(tmp_path, "b.yaml", "")
    (tmp_path / "b.yaml").rename(tmp_path / "b.json")
    with pytest.raises(ConfigurationError, match=r"b\.json"):
        load_mappings(tmp_path)
    (tmp_path / "b.json").rename(tmp_path / "b.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        load_mappings(tmp_path)


def test_a_table_that_an_api_feeds_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "mine.yaml", "source: shopify\nentity: orders\npattern: x\nnatural_key: id\ncolumns: {id: id}\n")
    assert "mine" in {each.name for each in load_mappings(tmp_path)}
    with pytest.raises(ConfigurationError) as caught:
        load_mappings(tmp_path, taken=["shopify_orders"])
    assert caught.value.message == "The file mapping mine would feed bronze.shopify_orders, which an API feeds."
    assert caught.value.remedy == "Give it another entity, such as orders_export."


def test_two_entities_of_one_table_are_refused(tmp_path: Path) -> None:
    keys = "pattern: x\nnatural_key: id\ncolumns: {id: id}\n"
    write(tmp_path, "one.yaml", "source: shop\nentity: old_things\n" + keys)
    write(tmp_path, "two.yaml", "source: shop_old\nentity: things\n" + keys)
    with pytest.raises(ConfigurationError, match=r"shop/old_things and shop_old/things .* bronze\.shop_old_things"):
        load_mappings(tmp_path)


def test_a_folder_of_mappings_without_rights_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.iterdir

    def refuse(folder: Path) -> Iterator[Path]:
        if folder == tmp_path:
            raise PermissionError(13, "Permission denied")
        return real(folder)

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(ConfigurationError, match="may not be read"):
        load_mappings(tmp_path)


def test_entities_add_up_masks_and_identities() -> None:
    one = parse_mapping("name: one\n" + BASE + "columns: {id: id, phone: p}\nmasks: {phone: redact}\n", "one.yaml")
    text = "source: shop\nentity: things\npattern: x\ncolumns: {id: id, phone: p, ship_name: n}\n"
    two = parse_mapping(text + "identities: [{kind: email, path: phone}]\ndescription: Things.\n", "two.yaml")
    entity = entities([one, two])["shop_things"]
    # The second names no mask for the phone and none for a name: it cannot put either in clear.
    assert entity.masks == {"phone": Mask.REDACT, "ship_name": Mask.REDACT}
    assert entity.identities == (Identity("email", "phone"),)
    assert entity.natural_key == ("id",)
    assert entity.description == "Things."
    assert entity.personal


def test_contradicting_mappings_are_refused() -> None:
    one = parse_mapping("name: one\n" + BASE + "columns: {id: id}\n", "one.yaml")
    other_key = parse_mapping("name: two\n" + BASE.replace("key: id", "key: nr") + "columns: {nr: nr}\n", "two.yaml")
    with pytest.raises(ConfigurationError, match="one and two of shop/things disagree about natural_key"):
        entities([one, other_key])
    keyless = BASE.replace("natural_key: id\n", "")
    with pytest.raises(ConfigurationError, match="does not fill id"):
        entities([one, parse_mapping(keyless + "columns: {nr: nr}\n", "two.yaml")])
    with pytest.raises(ConfigurationError, match="has a natural_key"):
        entities([parse_mapping(keyless + "columns: {nr: nr}\n", "two.yaml")])


def test_a_personal_key_is_refused() -> None:
    text = BASE.replace("natural_key: id", "natural_key: buyer_name") + "columns: {buyer_name: Buyer}\n"
    with pytest.raises(ConfigurationError, match="buyer_name, which is personal"):
        entities([parse_mapping(text, "mine.yaml")])


def test_patterns_ignore_case_and_compression() -> None:
    mapping = parse_mapping(BASE + "columns: {id: id}\n", "mine.yaml")
    assert all(mapping.matches(name) for name in ("a.csv", "A.CSV", "a.csv.gz", "a.csv.zst", "a.csv.ZSTD"))
    assert not any(mapping.matches(name) for name in ("a.txt", "a.csv.bak", "csv"))


def test_shipped_mappings_load_and_describe_themselves() -> None:
    found = entities(load_mappings(None))
    assert set(found) == {
        "pos_transactions",
        "pos_products",
        "shopify_orders_export",
        "etsy_sold_orders",
        "etsy_sold_order_items",
        "etsy_statement",
        "ebay_orders_report",
        "easypost_events",
        "aftership_trackings",
        "shippo_trackings",
        "seventeentrack_trackings",
        "clickstream_events",
        "geo_postcodes",
        "geo_delivery_zones",
        "ads_spend",
    }
    assert all(entity.description.endswith(".") for entity in found.values())
    assert found["pos_transactions"].natural_key == ("transaction_id", "line_id")
    assert found["pos_transactions"].masks == {"loyalty_id": Mask.PSEUDONYM}
    assert found["pos_transactions"].identities == (Identity("pos_loyalty", "loyalty_id"),)
