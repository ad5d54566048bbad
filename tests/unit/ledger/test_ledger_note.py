"""Signed notes: what is ignored, what is rejected, and what counts."""

import base64
import hashlib

import pytest

from ledger.cosignature import Ed25519Cosigner
from ledger.errors import NoteError
from ledger.note import (
    MAX_SIGNATURES,
    Ed25519Signer,
    Note,
    Signature,
    VerifierKey,
    verify_note,
)
from ledger.signature import NAMED, key_id

# The example of the signed-note specification.
EXAMPLE_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
EXAMPLE_NOTE = (
    "This is an example message.\n\n\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXpp"
    "zi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
).encode()
# A published key whose key ID was made with the wrong formula.
WRONG_ID = "test+5893dc2c+"

SIGNER = Ed25519Signer("ledger.example.cn/vax", bytes(range(32)))
OTHER = Ed25519Signer("other.example.cn", bytes(range(1, 33)))
TEXT = "first line\n\nthird line, 中文\n"


def signed(*signers, text=TEXT):
    return Note(text, tuple(signer.sign(text) for signer in signers))


def grease(name="grease.example", blob=b"\x00" * 70):
    return Signature(name, hashlib.sha256(name.encode()).digest()[:4], blob)


def test_the_example_of_the_specification_verifies():
    note = Note.parse(EXAMPLE_NOTE)
    key = VerifierKey.parse(EXAMPLE_KEY)
    (verified,) = verify_note(note, [key])
    assert (verified.key, verified.timestamp) == (key, None)
    assert note.text == "This is an example message.\n"
    assert note.encode() == EXAMPLE_NOTE
    assert key.text() == EXAMPLE_KEY


def test_a_signature_is_byte_for_byte_the_known_one():
    assert SIGNER.sign("hello\n").line() == (
        "\u2014 ledger.example.cn/vax /hDLSbCB8qZ4IxEGL9BaMuh6upuVa6ngpVI4rJA32Ugutel"
        "hwQq7kVTch1z0fFcvy569zJn9RWfo5C2apY591ftvWQY=\n"
    )


def test_a_note_reads_back_as_it_was_written():
    note = signed(SIGNER, OTHER)
    assert Note.parse(note.encode()) == note


def test_unknown_and_shuffled_lines_do_not_disturb():
    good = SIGNER.sign(TEXT)
    lines = [grease(f"grease{n}.example") for n in range(MAX_SIGNATURES - 1)]
    for place in (0, 40, 99):
        note = Note(TEXT, (*lines[:place], good, *lines[place:]))
        (verified,) = verify_note(Note.parse(note.encode()), [SIGNER.verifier_key])
        assert verified.signature == good


def test_a_line_that_shares_only_name_or_only_key_id_is_unknown():
    good, key = SIGNER.sign(TEXT), SIGNER.verifier_key
    same_name = Signature(key.name, b"\x00\x01\x02\x03", bytes(64))
    same_id = Signature("another.example", key.keyid, bytes(64))
    (verified,) = verify_note(Note(TEXT, (same_name, same_id, good)), [key])
    assert verified.signature == good


def test_a_known_but_wrong_line_rejects_the_note():
    bad = Signature(OTHER.verifier_key.name, OTHER.verifier_key.keyid, bytes(64))
    note = Note(TEXT, (SIGNER.sign(TEXT), bad))
    assert verify_note(note, [SIGNER.verifier_key])
    with pytest.raises(NoteError):
        verify_note(note, [SIGNER.verifier_key, OTHER.verifier_key])


def test_a_second_wrong_line_of_a_key_that_signed_well_rejects_the_note():
    key = SIGNER.verifier_key
    bad = Signature(key.name, key.keyid, bytes(64))
    for lines in ((SIGNER.sign(TEXT), bad), (bad, SIGNER.sign(TEXT))):
        with pytest.raises(NoteError):
            verify_note(Note(TEXT, lines), [key])


def test_a_key_counts_once():
    line = SIGNER.sign(TEXT)
    assert len(verify_note(Note(TEXT, (line, line)), [SIGNER.verifier_key] * 2)) == 1


@pytest.mark.parametrize("size", [1, 63, 65, 72])
def test_a_known_line_of_another_length_rejects_the_note(size):
    line = SIGNER.sign(TEXT)
    bent = Signature(line.name, line.keyid, (line.blob * 2)[:size])
    with pytest.raises(NoteError):
        verify_note(Note(TEXT, (bent,)), [SIGNER.verifier_key])


def test_a_note_that_no_known_key_signed_is_rejected():
    with pytest.raises(NoteError):
        verify_note(signed(SIGNER), [OTHER.verifier_key])
    with pytest.raises(NoteError):
        verify_note(signed(SIGNER), [])


def test_a_changed_text_is_rejected():
    note = signed(SIGNER)
    for text in (TEXT + "\n", TEXT[:-2] + "\n", TEXT.replace("first", "First")):
        with pytest.raises(NoteError):
            verify_note(Note(text, note.signatures), [SIGNER.verifier_key])


def test_an_empty_line_moved_between_text_and_signatures_is_rejected():
    raw = signed(SIGNER, text="a\n").encode().replace(b"a\n\n", b"a\n\n\n")
    with pytest.raises(NoteError):
        verify_note(Note.parse(raw), [SIGNER.verifier_key])


def test_a_cosignature_line_does_not_pass_for_a_plain_signature():
    # The same private key under the same name, as another type.
    cosigner = Ed25519Cosigner(SIGNER.verifier_key.name, bytes(range(32)))
    plain = SIGNER.sign(TEXT)
    key = cosigner.verifier_key
    relabelled = Signature(key.name, key.keyid, bytes(8) + plain.blob)
    assert key.keyid != SIGNER.verifier_key.keyid
    with pytest.raises(NoteError):
        verify_note(Note(TEXT, (relabelled,)), [key])


def test_two_known_keys_with_one_identity_are_ambiguous():
    key = SIGNER.verifier_key
    twin = object.__new__(VerifierKey)  # an accidental collision cannot be made on purpose here
    for field, value in (("name", key.name), ("keyid", key.keyid), ("type", 1)):
        object.__setattr__(twin, field, value)
    object.__setattr__(twin, "public", OTHER.verifier_key.public)
    with pytest.raises(NoteError, match="share name and key ID"):
        verify_note(signed(SIGNER), [key, twin])


def test_a_known_key_of_a_type_for_others_is_an_error_not_a_pass():
    key = VerifierKey.of("sm2.example", NAMED, b"example.com/sm2\x00key")
    note = Note(TEXT, (Signature(key.name, key.keyid, b"x"), SIGNER.sign(TEXT)))
    assert verify_note(note, [SIGNER.verifier_key])
    with pytest.raises(NoteError):
        verify_note(note, [SIGNER.verifier_key, key])


def test_lines_are_added_without_repeating_one():
    note = signed(SIGNER)
    more = note.with_signatures([SIGNER.sign(TEXT), OTHER.sign(TEXT)])
    assert [one.name for one in more.signatures] == [SIGNER.verifier_key.name, "other.example.cn"]
    assert len(verify_note(more, [SIGNER.verifier_key, OTHER.verifier_key])) == 2


def line(text="\u2014 a.example AAAAAAA="):
    return f"text\n\n{text}\n".encode()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\n",
        b"\n\n",
        b"text\n",
        b"text\n\n",
        b"text\n\n\n",
        line()[:-1],
        line().replace(b"\n\n", b"\n"),
        line() + b"\n",
        line() + b"trailing",
        line("- a.example AAAAAAA="),
        line("\u2013 a.example AAAAAAA="),
        line("\u2014  a.example AAAAAAA="),
        line("\u2014 a.example  AAAAAAA="),
        line("\u2014 a.example AAAAAAA= "),
        line("\u2014 a.example"),
        line("\u2014 a.example "),
        line("\u2014 AAAAAAA="),
        line("\u2014 a+b AAAAAAA="),
        line("\u2014 a\u3000b AAAAAAA="),
        line("\u2014 a\u00a0b AAAAAAA="),
        line("\u2014 a.example AAAAAA=="),  # four bytes, no signature
        line("\u2014 a.example AAAAAAA"),
        line("\u2014 a.example AAAAAAB="),  # spare bits set
        line("\u2014 a.example AAAA_AA="),
        line("\u2014 a.example AAAAAAA=\u2014"),
        line("\u2014 a.example AAAA\u0661AA="),
        line().replace(b"text", b"te\rxt"),
        line().replace(b"text", b"te\txt"),
        line().replace(b"text", b"te\x00xt"),
        line().replace(b"text", b"te\xffxt"),
        line().replace(b"text", b"te\xed\xa0\x80xt"),
        line().replace(b"text", b"t" * 1_000_001),
        b"text\n\n" + b"\xe2\x80\x94 a.example AAAAAAA=\n" * 101,
    ],
)
def test_what_is_no_note_is_refused(raw):
    with pytest.raises(NoteError):
        Note.parse(raw)


def test_line_separators_of_other_alphabets_end_no_line():
    raw = "a\u2028b\u0085c\n\n\u2014 a.example AAAAAAA=\n".encode()
    assert Note.parse(raw).text == "a\u2028b\u0085c\n"


def test_a_note_that_could_not_be_read_back_is_not_written():
    with pytest.raises(NoteError):
        Note("no newline", (grease(),)).encode()
    with pytest.raises(NoteError):
        Note("text\n", ()).encode()


@pytest.mark.parametrize("kind", [0x01, 0x04, 0x05, 0x06, 0xFF])
def test_the_key_id_must_be_the_one_of_name_type_and_key(kind):
    public = SIGNER.verifier_key.public if kind in (1, 4) else bytes(1312 if kind == 6 else 32)
    key = VerifierKey.of("name.example", kind, public)
    assert key.keyid == hashlib.sha256(b"name.example\n" + bytes([kind]) + public).digest()[:4]
    assert VerifierKey.parse(key.text()) == key
    wrong = key.text().replace(key.keyid.hex(), (key.keyid[:3] + bytes([key.keyid[3] ^ 1])).hex())
    with pytest.raises(NoteError, match="key ID"):
        VerifierKey.parse(wrong)
    with pytest.raises(NoteError):
        VerifierKey.parse(key.text().replace("name.example", "other.example"))


def test_the_key_id_of_ecdsa_covers_the_key_only():
    spki = b"0Y0\x13 a public key in DER"
    assert key_id("any", 0x02, spki) == hashlib.sha256(spki).digest()[:4]
    text = (
        f"any+{hashlib.sha256(spki).hexdigest()[:8]}+{base64.b64encode(bytes([2]) + spki).decode()}"
    )
    assert VerifierKey.parse(text).text() == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "+",
        "++",
        "name",
        "name+530d903a",
        "name+530d903a+",
        EXAMPLE_KEY + "\n",
        EXAMPLE_KEY.replace("530d903a", "530D903A"),
        EXAMPLE_KEY.replace("530d903a", "530d903"),
        EXAMPLE_KEY.replace("530d903a", "0530d903a"),
        EXAMPLE_KEY.replace("example.com/foo", ""),
        EXAMPLE_KEY.replace("example.com/foo", "example.com foo"),
        EXAMPLE_KEY[:-1],
        EXAMPLE_KEY + "AAAA",
        EXAMPLE_KEY[:-4],
        WRONG_ID + base64.b64encode(b"\x06" + bytes(1312)).decode(),
        "\ud800+00000000+AQ==",
    ],
)
def test_a_malformed_verifier_key_is_refused(text):
    with pytest.raises(NoteError):
        VerifierKey.parse(text)


@pytest.mark.parametrize(
    ("kind", "size"), [(0x01, 31), (0x01, 33), (0x04, 0), (0x05, 31), (0x06, 1311), (0xFF, 0)]
)
def test_a_key_of_another_length_is_no_verifier_key(kind, size):
    with pytest.raises(NoteError, match="wrong length"):
        VerifierKey.of("name.example", kind, bytes(size))


def test_a_weak_key_is_no_verifier_key():
    with pytest.raises(NoteError, match="small order"):
        VerifierKey.of("weak.example", 0x01, bytes(32))
    with pytest.raises(NoteError, match="neutral"):
        VerifierKey.of("weak.example", 0x04, b"\x01" + bytes(31))
