"""Attacks on a stored log: each is found, and the first bad position is named."""

import random
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest

from client.errors import RefutedError
from client.signing import AuthorKey
from client.sources import CHECKPOINT, FolderSource, blob_path, decode_envelopes, encode_envelopes
from client.verify import Extent, verify_log
from ledger.bundle import decode_bundle, encode_bundle
from ledger.entry import Seal
from ledger.envelope import Envelope, Sig
from ledger.note import Note
from tests.unit.client.signed_log import (
    CDC,
    CLINIC,
    COUNTY,
    OPERATOR,
    ORIGIN,
    PLATFORM,
    MemorySource,
    SignedLog,
    author,
    signer,
    small_log,
    trust,
)


def refuted(source, extent=None):
    with pytest.raises(RefutedError) as caught:
        verify_log(source, trust(), extent)
    return caught.value.step, caught.value.position, caught.value.reason


def refuted_log(log, extent=None):
    """The verdict on a log whose tree was signed over what it now holds: an insider's work."""
    return refuted(MemorySource(log.files()), extent)


def altered(log, path, change):
    files = log.files()
    files[path] = change(files[path])
    return MemorySource(files)


def with_entry(position, change):
    """Alter one entry in the bundle, while tree and checkpoint stay."""

    def bundle(raw):
        entries = decode_bundle(raw)
        entries[position - 1] = change(entries[position - 1])
        return encode_bundle(entries)

    return bundle


def flipped(at):
    return lambda raw: raw[:at] + bytes((raw[at] ^ 1,)) + raw[at + 1 :]


def bundle_of(log):
    return f"tile/entries/000.p/{len(log.lines)}"


def envelopes_of(log):
    return f"envelopes/000.p/{len(log.lines)}"


def test_an_honest_log_holds_whole():
    log = small_log()
    seen = []
    report = verify_log(
        MemorySource(log.files()), trust(), Extent(blobs=True), lambda *done: seen.append(done)
    )
    assert report.checkpoint == log.checkpoint()
    assert (report.counts.entries, report.counts.envelopes) == (13, 13)
    assert (report.counts.streams, report.counts.organisations, report.counts.keys) == (7, 4, 4)
    assert (report.counts.blobs, report.counts.erased) == (12, 0)
    assert seen == [(13, 13)]


def test_a_log_of_several_bundles_read_from_a_folder_holds(tmp_path):
    log = small_log(children=150, doses=3)
    log.save(tmp_path)
    known = (log.checkpoint(1), log.checkpoint(256), log.checkpoint(300))
    report = verify_log(FolderSource(tmp_path), trust(), Extent(known=known))
    assert report.counts.entries == 604


def test_an_empty_log_holds():
    assert verify_log(MemorySource(SignedLog().files()), trust()).counts.entries == 0


def test_without_envelopes_hashes_and_streams_are_still_checked():
    log = small_log()
    files = log.files()
    del files[envelopes_of(log)]
    report = verify_log(MemorySource(files), trust(), Extent(envelopes=False))
    assert (report.counts.entries, report.counts.envelopes) == (13, 0)


def test_hashes_alone_find_an_edit_and_judge_nothing_that_was_signed():
    only = Extent(envelopes=False, entries=False)
    log = small_log()
    edit = with_entry(7, lambda raw: raw.replace(b'"version":', b'"version":1', 1))
    assert refuted(altered(log, bundle_of(log), edit), only) == (2, 7, "entry-altered")
    log.lines[6] = replace(log.lines[6], raw=b"no entry at all")
    assert refuted_log(log)[:2] == (3, 7)
    assert verify_log(MemorySource(log.files()), trust(), only).counts.entries == 0


@pytest.mark.parametrize("position", [1, 2, 7, 12, 13])
def test_an_edited_entry_is_named(position):
    log = small_log()
    edit = with_entry(position, lambda raw: raw.replace(b'"version":', b'"version":1', 1))
    assert refuted(altered(log, bundle_of(log), edit)) == (2, position, "entry-altered")


@pytest.mark.parametrize("seed", range(12))
def test_any_flipped_bit_of_any_file_is_found(seed):
    log = small_log(children=130, doses=1)
    chance = random.Random(seed)
    files = log.files()
    path = chance.choice(sorted(path for path in files if not path.startswith("blobs")))
    content = bytearray(files[path])
    if path == CHECKPOINT:  # a flip inside a signature line's name only makes the line unknown
        at = chance.randrange(content.index(b"\n\n"))
    else:
        at = chance.randrange(len(content))
    content[at] ^= 1 << chance.randrange(8)
    with pytest.raises(RefutedError):
        verify_log(MemorySource(files | {path: bytes(content)}), trust())


def test_an_entry_edited_together_with_its_leaf_hash_is_found():
    log = small_log()
    note = log.note()
    log.forge(9, recorded_at=log.lines[8].entry.recorded_at + timedelta(seconds=1))
    files = log.files() | {CHECKPOINT: note}  # tiles recomputed, the signature is the old one
    assert refuted(MemorySource(files))[0] == 2


def test_in_a_large_log_the_upper_tile_names_the_bundle():
    log = small_log(children=300, doses=1)
    files = log.files()
    log.forge(400, recorded_at=log.lines[399].entry.recorded_at + timedelta(seconds=1))
    forged = log.files()
    for path in (
        "tile/entries/001",
        "tile/0/001",
    ):
        files[path] = forged[path]
    assert refuted(MemorySource(files)) == (2, 257, "root-differs")


def test_an_edited_leaf_hash_is_told_apart_from_an_edited_entry():
    log = small_log()
    assert refuted(altered(log, "tile/0/000.p/13", flipped(160))) == (2, 6, "leaf-altered")


def test_an_edited_upper_tile_is_named():
    log = small_log(children=300, doses=1)
    assert refuted(altered(log, "tile/1/000.p/2", flipped(40))) == (2, 257, "tile-altered")


def test_two_swapped_entries_are_named():
    log = small_log()

    def swap(raw):
        entries = decode_bundle(raw)
        entries[6], entries[9] = entries[9], entries[6]
        return encode_bundle(entries)

    assert refuted(altered(log, bundle_of(log), swap)) == (2, 7, "entry-altered")


def test_a_deleted_entry_is_named():
    log = small_log()

    def delete(raw):
        entries = decode_bundle(raw)
        return encode_bundle([*entries[:7], *entries[8:]])

    assert refuted(altered(log, bundle_of(log), delete)) == (2, 8, "entry-altered")


def test_a_deleted_tail_is_named():
    log = small_log()

    def cut(raw):
        return encode_bundle(decode_bundle(raw)[:10])

    assert refuted(altered(log, bundle_of(log), cut)) == (2, 11, "entry-missing")


def test_a_missing_bundle_is_named():
    log = small_log(children=150, doses=1)
    files = log.files()
    del files["tile/entries/001.p/48"]
    assert refuted(MemorySource(files)) == (2, 257, "entry-missing")


def test_a_cut_off_bundle_is_named():
    log = small_log()
    source = altered(log, bundle_of(log), lambda raw: raw[:-1])
    assert refuted(source) == (2, 1, "bundle-malformed")


def test_a_checkpoint_of_another_key_is_refused():
    log = small_log()
    source = MemorySource(log.files() | {CHECKPOINT: log.note(name="thief")})
    assert refuted(source) == (1, None, "checkpoint-not-trusted")


def test_a_checkpoint_with_stripped_signatures_is_refused():
    log = small_log()
    note = Note.parse(log.note())
    foreign = signer("stranger").sign(log.checkpoint(), 1)
    bare = replace(note, signatures=Note.parse(foreign).signatures).encode()
    source = MemorySource(log.files() | {CHECKPOINT: bare})
    assert refuted(source) == (1, None, "checkpoint-not-trusted")


def test_a_checkpoint_with_one_forged_line_of_two_is_refused():
    log = small_log()
    note = Note.parse(log.note())
    forged = replace(note.signatures[0], blob=bytes(64))
    mixed = replace(note, signatures=(forged, note.signatures[1])).encode()
    assert refuted(MemorySource(log.files() | {CHECKPOINT: mixed}))[:2] == (1, None)


def test_a_missing_checkpoint_is_refused():
    assert refuted(MemorySource({})) == (1, None, "checkpoint-missing")


def test_another_logs_checkpoint_is_refused():
    log = small_log()
    note = log.note().replace(ORIGIN.encode(), b"other.example.cn/vax")
    assert refuted(MemorySource(log.files() | {CHECKPOINT: note}))[0] == 1


def test_two_roots_of_one_size_are_a_fork():
    log = small_log()
    seen = log.checkpoint(10)
    log.forge(4, recorded_at=log.lines[3].entry.recorded_at + timedelta(microseconds=1))
    assert refuted_log(log, Extent(known=(seen,))) == (10, None, "forked")


def test_a_rewritten_history_is_found_by_the_holder_of_any_older_checkpoint():
    old, new = small_log(), small_log(children=4)
    assert refuted_log(new, Extent(known=(old.checkpoint(8),))) == (10, None, "forked")


def test_a_log_shorter_than_what_was_seen_is_rolled_back():
    log = small_log()
    seen = log.checkpoint()
    assert refuted(MemorySource(log.files(11)), Extent(known=(seen,)))[2] == "rolled-back"


def test_a_missing_tile_is_named():
    files = small_log(children=300, doses=1).files()
    for path, position in (("tile/1/000.p/2", 1), ("tile/0/001", 257)):
        left = {other: raw for other, raw in files.items() if other != path}
        assert refuted(MemorySource(left)) == (2, position, "tile-missing")


def test_a_tile_cut_off_is_told_apart_from_an_altered_entry():
    log = small_log(children=300, doses=1)
    assert refuted(altered(log, "tile/0/001", lambda raw: raw[:-40])) == (2, 511, "tile-cut-off")
    assert refuted(altered(log, "tile/1/000.p/2", lambda raw: raw[:32])) == (2, 257, "tile-cut-off")


@pytest.mark.parametrize(
    ("path", "surplus", "verdict"),
    [
        ("tile/entries/000.p/13", encode_bundle([b"x"]), (2, 14, "bundle-too-long")),
        ("envelopes/000.p/13", encode_envelopes([b"x"]), (5, 14, "envelopes-too-long")),
        ("tile/0/000.p/13", bytes(32), (2, 1, "tile-too-long")),
    ],
)
def test_what_stands_in_a_file_beyond_its_width_is_named(path, surplus, verdict):
    assert refuted(altered(small_log(), path, lambda raw: raw + surplus)) == verdict


def test_full_files_stand_in_for_partial_ones_that_are_gone():
    log = small_log(children=300, doses=1)
    larger, files = log.files(), log.files(300)
    for stem in ("tile/entries/001", "envelopes/001", "tile/0/001"):
        del files[f"{stem}.p/44"]
        files[stem] = larger[stem]
    assert verify_log(MemorySource(files), trust()).counts.envelopes == 300


# From here on the insider also holds the log's signing key: tree and checkpoint are made anew.


def test_a_changed_field_differs_from_what_was_signed():
    log = small_log()
    log.forge(11, data=dict(log.lines[10].entry.data) | {"lot": "B20260101"})
    assert refuted_log(log) == (5, 11, "statement-differs")


@pytest.mark.parametrize("change", [{"division": "410203"}, {"sealed": ()}])
def test_fields_outside_data(change):
    log = small_log()
    log.forge(11, **change)
    if "sealed" in change:
        assert refuted_log(log) == (5, 11, "statement-differs")
    else:  # the division is the server's; the statement does not sign it
        verify_log(MemorySource(log.files()), trust())


def test_another_persons_seal_differs_from_what_was_signed():
    log = small_log()
    seal = log.lines[10].entry.sealed[0]
    log.forge(11, sealed=(Seal(str(log.handle()), seal.sha256),))
    assert refuted_log(log) == (5, 11, "statement-differs")


def test_an_event_moved_to_another_child_differs_from_what_was_signed():
    log = small_log()
    other = log.lines[4].entry.stream
    log.forge(8, stream=log.handle(), version=1)
    assert log.lines[7].entry.stream != other
    assert refuted_log(log) == (5, 8, "statement-differs")


def test_a_repeated_version_is_named():
    log = small_log()
    log.forge(11, version=2)
    assert refuted_log(log) == (4, 11, "version-not-dense")


def test_a_left_out_event_leaves_a_gap_in_its_stream():
    log = small_log()
    del log.lines[7]
    assert refuted_log(log) == (4, 10, "version-not-dense")


def test_an_entry_twice_is_named():
    log = small_log()
    log.lines.append(log.lines[12])
    assert refuted_log(log) == (4, 14, "version-not-dense")


@pytest.mark.parametrize(("behind", "holds"), [(2_000_000, True), (2_000_001, False)])
def test_a_time_more_than_2_s_behind_the_newest_is_named(behind, holds):
    log = small_log()
    draft = log.dose(log.handle(), log.handle(), 0)
    log.write(author(CLINIC), draft, {"effective_on": "2026-09-01"})
    newest = log.lines[12].entry.recorded_at
    log.forge(14, recorded_at=newest - timedelta(microseconds=behind))
    if holds:
        verify_log(MemorySource(log.files()), trust())
    else:
        assert refuted_log(log) == (4, 14, "time-set-back")


def test_a_swapped_envelope_is_named():
    log = small_log()

    def swap(raw):
        envelopes = decode_envelopes(raw)
        envelopes[8], envelopes[9] = envelopes[9], envelopes[8]
        return encode_envelopes(envelopes)

    assert refuted(altered(log, envelopes_of(log), swap)) == (5, 9, "envelope-differs")


def test_a_missing_envelope_is_named():
    log = small_log()

    def cut(raw):
        return encode_envelopes(decode_envelopes(raw)[:5])

    assert refuted(altered(log, envelopes_of(log), cut)) == (5, 6, "envelope-missing")


def test_an_envelope_taken_from_the_middle_is_named_where_the_first_one_differs():
    log = small_log()

    def take(raw):
        envelopes = decode_envelopes(raw)
        return encode_envelopes([*envelopes[:6], *envelopes[7:]])

    assert refuted(altered(log, envelopes_of(log), take)) == (5, 7, "envelope-differs")


def resign(log, position, change):
    """Replace a stored envelope and let the entry name the new one."""
    line = log.lines[position - 1]
    envelope = change(Envelope.decode(line.envelope)).encode()
    log.lines[position - 1] = replace(line, envelope=envelope)
    named = replace(line.entry.author, envelope=sha256(envelope).hexdigest())
    log.forge(position, author=named)


def test_a_forged_signature_is_named():
    log = small_log()
    resign(
        log, 10, lambda one: replace(one, signatures=(replace(one.signatures[0], sig=bytes(64)),))
    )
    assert refuted_log(log) == (5, 10, "signature-invalid")


def test_a_signature_of_another_keyid_is_named():
    log = small_log()
    resign(log, 10, lambda one: replace(one, signatures=(Sig("ab" * 32, one.signatures[0].sig),)))
    assert refuted_log(log) == (5, 10, "signature-invalid")


def test_an_edited_payload_is_named():
    log = small_log()
    resign(log, 10, lambda one: replace(one, payload=one.payload.replace(b"HepB", b"HepA")))
    assert refuted_log(log) == (5, 10, "signature-invalid")


def test_an_envelope_of_another_type_is_named():
    log = small_log()
    resign(log, 10, lambda one: replace(one, payload_type="application/json"))
    assert refuted_log(log) == (5, 10, "signature-invalid")


def test_an_author_that_was_never_registered_is_named():
    log = small_log()
    stranger = AuthorKey.from_seed(CLINIC, b"s" * 32)
    log.add_child(stranger)
    assert refuted_log(log) == (6, 14, "key-unknown")


def test_another_organisations_key_is_named():
    log = small_log()
    log.add_child(author(CDC))
    log.forge(14, author=replace(log.lines[13].entry.author, org=str(CLINIC)))
    assert refuted_log(log) == (6, 14, "key-unknown")


def revoke(log, by, organisation, keyid, version=1):
    data = {"keyid": keyid, "reason": "compromised"}
    return log.write(by, log.draft("organisation.key-revoked.v1", organisation, version, data))


def test_a_revoked_key_signs_nothing_more_and_what_it_signed_stays():
    log = small_log()
    revoke(log, author(CDC), CLINIC, author(CLINIC).keyid)
    verify_log(MemorySource(log.files()), trust())
    log.add_child()
    assert refuted_log(log) == (6, 15, "key-revoked")


def add_key(log, by, new, version=1):
    data = {"public_key": new.public.hex(), "key_proof": new.proof_of_possession(ORIGIN)}
    draft = log.draft("organisation.key-registered.v1", new.organisation, version, data)
    return log.write(by, draft)


def test_a_rotated_key_signs_from_the_next_position_on():
    log = small_log()
    new = author(CLINIC, "second")
    add_key(log, author(CLINIC), new)
    log.add_child(new)
    revoke(log, new, CLINIC, author(CLINIC).keyid, 2)
    log.add_child(new)
    assert verify_log(MemorySource(log.files()), trust()).counts.keys == 5


def test_a_key_does_not_sign_its_own_registration():
    log = small_log()
    new = author(CLINIC, "second")
    add_key(log, new, new)
    assert refuted_log(log) == (6, 14, "key-unknown")


def test_a_key_without_proof_of_possession_is_named():
    log = small_log()
    new = author(CLINIC, "second")
    proof = author(CDC).proof_of_possession(ORIGIN)
    data = {"public_key": new.public.hex(), "key_proof": proof}
    log.write(author(CLINIC), log.draft("organisation.key-registered.v1", CLINIC, 1, data))
    assert refuted_log(log) == (6, 14, "key-not-proven")


def test_a_proof_without_its_key_is_named():
    log = small_log()
    proof = author(CDC).proof_of_possession(ORIGIN)
    data = {"name": "单位", "kind": "clinic", "division": COUNTY, "key_proof": proof}
    log.write(author(CDC), log.draft("organisation.registered.v1", log.handle(), 0, data))
    assert refuted_log(log) == (6, 14, "key-missing")


def test_a_weak_key_is_named():
    log = small_log()
    data = {"public_key": "01" + "00" * 31, "key_proof": "00" * 64}
    log.write(author(CLINIC), log.draft("organisation.key-registered.v1", CLINIC, 1, data))
    assert refuted_log(log) == (6, 14, "key-weak")


@pytest.mark.parametrize(
    ("registrar", "kind", "division"),
    [
        (CLINIC, "clinic", COUNTY),
        (CDC, "county-cdc", COUNTY),
        (CDC, "clinic", "410203"),
        (PLATFORM, "clinic", COUNTY),
        (OPERATOR, "operator", "410000"),
    ],
)
def test_an_organisation_registered_by_one_not_entitled_is_named(registrar, kind, division):
    log = small_log()
    log.register(author(registrar), author(log.handle()), kind, division)
    assert refuted_log(log) == (6, 14, "registrar-not-entitled")


def test_a_clinic_cannot_revoke_the_key_of_its_county_cdc():
    log = small_log()
    revoke(log, author(CLINIC), CDC, author(CDC).keyid)
    assert refuted_log(log) == (6, 14, "registrar-not-entitled")


def test_a_log_that_does_not_open_with_the_operators_own_signature_is_refused():
    log = SignedLog()
    log.register(author(CDC), author(OPERATOR), "operator", "410000")
    assert refuted_log(log) == (6, 1, "root-key-not-self-signed")
    log = SignedLog()
    log.register(author(CDC), author(CDC), "county-cdc")
    assert refuted_log(log) == (6, 1, "no-root-key")


def test_one_idempotency_key_for_two_writes_is_named():
    log = small_log()
    earlier = log.lines[4].envelope
    key = Envelope.decode(earlier).payload.split(b'"idempotency_key":"')[1][:36].decode()
    stream, recipient = log.handle(), log.handle()
    draft = replace(log.dose(stream, recipient, 0), idempotency_key=type(stream)(key))
    log.write(author(CLINIC), draft, {"effective_on": "2026-09-01"})
    assert refuted_log(log) == (7, 14, "idempotency-key-reused")


def correct(log, stream, version, cause, key=None, correction=None):
    data = {
        "dose": str(log.handle()),
        "changes": [{"field": "lot", "before": "A1", "after": "A2"}],
        "correction": correction or cause["stream"],
        "urgency": "next-day",
    }
    derived = {"effective_on": "2026-09-02", "cause": cause}
    draft = log.draft("vaccination-record.dose-corrected.v1", stream, version, data)
    return log.write(key or author(PLATFORM), draft, derived)


def test_an_effect_names_a_cause_that_stands_before_it():
    log = small_log()
    stream = log.lines[4].entry.stream
    correct(log, stream, 3, {"stream": str(stream), "version": 3})
    verify_log(MemorySource(log.files()), trust())
    correct(log, stream, 4, {"stream": str(log.handle()), "version": 1})
    assert refuted_log(log) == (8, 15, "cause-missing")


def test_an_effect_cannot_be_its_own_cause():
    log = small_log()
    stream = log.lines[4].entry.stream
    correct(log, stream, 3, {"stream": str(stream), "version": 4})
    assert refuted_log(log) == (8, 14, "cause-missing")


def test_the_cause_is_the_correction_that_the_data_name():
    log = small_log()
    stream, other = log.lines[4].entry.stream, log.lines[5].entry.stream
    cause = {"stream": str(stream), "version": 1}
    correct(log, stream, 3, cause, correction=str(other))
    assert refuted_log(log) == (8, 14, "cause-differs")


def test_an_effect_that_a_clinic_signed_is_named():
    log = small_log()
    stream = log.lines[4].entry.stream
    correct(log, stream, 3, {"stream": str(stream), "version": 1}, author(CLINIC))
    assert refuted_log(log) == (8, 14, "not-signed-by-the-platform")


def test_an_unknown_member_in_data_is_named():
    log = small_log()
    stream, recipient = log.handle(), log.handle()
    draft = log.dose(stream, recipient, 0)
    draft = replace(draft, data=dict(draft.data) | {"comment": "x"})
    log.write(author(CLINIC), draft, {"effective_on": "2026-09-01"})
    assert refuted_log(log) == (3, 14, "data-malformed")


def test_an_entry_of_another_origin_is_named():
    log = small_log()
    log.forge(7, origin="other.example.cn/vax")
    assert refuted_log(log) == (3, 7, "origin-differs")


def test_bytes_that_are_no_entry_are_named():
    log = small_log()
    log.lines[6] = replace(log.lines[6], raw=log.lines[6].raw.replace(b'{"author"', b'{ "author"'))
    assert refuted(MemorySource(files_without_blobs(log))) == (3, 7, "entry-malformed")


def files_without_blobs(log):
    return {path: raw for path, raw in log.files().items() if not path.startswith("blobs")}


def test_an_altered_sealed_value_is_named_and_an_erased_one_is_not():
    log = small_log()
    digest = log.lines[10].entry.sealed[0].sha256
    files = log.files()
    assert refuted(MemorySource(files | {blob_path(digest): b"?"}), Extent(blobs=True)) == (
        9,
        11,
        "blob-differs",
    )
    del files[blob_path(digest)]
    report = verify_log(MemorySource(files), trust(), Extent(blobs=True))
    assert (report.counts.blobs, report.counts.erased) == (11, 1)
