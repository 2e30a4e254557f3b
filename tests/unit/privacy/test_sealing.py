"""Sealing: exact bytes back with the right key, nothing with another."""

from __future__ import annotations

import json
import secrets

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from retreasure_assets.errors import VaultError
from retreasure_assets.privacy import sealing


def payload(number: int) -> bytes:
    return json.dumps({"id": number, "email": None, "lines": [{"sku": f"RT-{number:05d}", "quantity": 1}]}).encode()


DICTIONARY = sealing.Dictionary(7, sealing.train([payload(number) for number in range(500)]) or b"")
UNSEALER = sealing.Unsealer({DICTIONARY.number: DICTIONARY.content})


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=300), min_size=1, max_size=8), st.sampled_from([DICTIONARY, sealing.NO_DICTIONARY]))
def test_round_trip_of_any_bytes(records: list[bytes], dictionary: sealing.Dictionary) -> None:
    keys = [secrets.token_bytes(32) for _ in records]
    ids = [f"{place:032x}" for place in range(len(records))]
    sealer = sealing.Sealer(dictionary)
    blobs = sealer.seal([AESGCM(key) for key in keys], sealer.compress(records), ids)
    assert [UNSEALER.unseal(*each) for each in zip(keys, blobs, ids, strict=True)] == records


def test_what_does_not_open() -> None:
    key = secrets.token_bytes(32)
    sealer = sealing.Sealer(DICTIONARY)
    [blob] = sealer.seal([AESGCM(key)], sealer.compress([b"Jane Planted"]), ["r1"])
    assert b"Jane" not in blob
    wrong = [
        (secrets.token_bytes(32), blob, "r1"),
        (key, blob, "r2"),
        (key, blob[:-1], "r1"),
        (key, blob[:5], "r1"),
        (key, b"", "r1"),
        (key, b"\x02" + blob[1:], "r1"),
        (key, blob[:1] + b"\x00\x09" + blob[3:], "r1"),
        (key, blob[:1] + b"\x00\x00" + blob[3:], "r1"),
        (key, blob[:20] + bytes([blob[20] ^ 1]) + blob[21:], "r1"),
    ]
    for key_tried, blob_tried, record_id in wrong:
        with pytest.raises(VaultError) as caught:
            UNSEALER.unseal(key_tried, blob_tried, record_id)
        assert caught.value.__cause__ is None


def test_equal_records_do_not_look_equal() -> None:
    cipher = AESGCM(secrets.token_bytes(32))
    sealer = sealing.Sealer(DICTIONARY)
    blobs = sealer.seal([cipher] * 50, sealer.compress([b"same"] * 50), ["r"] * 50)
    assert len(set(blobs)) == 50


def test_few_or_useless_samples_train_nothing() -> None:
    assert sealing.train([b"{}"] * (sealing.MIN_SAMPLES - 1)) is None
    assert sealing.train([b""] * 1000) is None


def test_a_dictionary_makes_records_smaller() -> None:
    records = [payload(number) for number in range(500, 600)]
    sealed = sealing.Compressor(DICTIONARY)(records)
    plain = sealing.Compressor(sealing.NO_DICTIONARY)(records)
    assert sum(map(len, sealed)) < 0.8 * sum(map(len, plain))
