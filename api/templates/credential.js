// Verifies a credential in the browser, as docs/certificate-format.md says: no server is asked.
"use strict";

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
const MAX_CHARS = 4296;
const MAX_BYTES = 16384;
const MAX_LIST_BYTES = 2 ** 21;
const LEEWAY = 300;
const TRUST_LIST = "application/vnd.vaxledger.trust-list+cwt";
const STATUS_LIST = "application/statuslist+cwt";
const HISTORY = 1;
const SCHOOL_VERDICT = 2;
const STATUS = 4;
const ES256 = -7;

export class Altered extends Error {}
export class UnknownIssuer extends Error {}

const check = (holds, why) => { if (!holds) throw new Altered(why); };
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const isBytes = (value) => value instanceof Uint8Array;
const isWhole = (value, least, most) => Number.isInteger(value) && value >= least && value <= most;

function base45(text) {
  const digits = Array.from(text, (letter) => ALPHABET.indexOf(letter));
  check(digits.every((digit) => digit >= 0) && digits.length % 3 !== 1, "not Base45");
  const bytes = [];
  for (let at = 0; at < digits.length; at += 3) {
    const value = digits.slice(at, at + 3).reduceRight((sum, digit) => sum * 45 + digit, 0);
    const isPair = at + 2 < digits.length;
    check(value < (isPair ? 65536 : 256), "not Base45");
    bytes.push(...(isPair ? [value >> 8, value & 255] : [value]));
  }
  return Uint8Array.from(bytes);
}

async function inflate(packed, limit) {
  const parts = [];
  let size = 0;
  try {
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    const reader = stream.getReader();
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      size += read.value.length;
      if (size > limit) { await reader.cancel(); break; }
      parts.push(read.value);
    }
  } catch (error) {
    throw new Altered("not a whole zlib stream");
  }
  check(size <= limit, "too large");
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

// Deterministic CBOR (RFC 8949, 4.2.1) of the subset that is written; maps come back as Map.
function cbor(raw, mostItems = 4096) {
  let at = 0;
  let left = mostItems;
  const take = (length) => {
    check(length <= raw.length - at, "ends too early");
    at += length;
    return raw.subarray(at - length, at);
  };
  const head = () => {
    const [initial] = take(1);
    const major = initial >> 5;
    const short = initial & 31;
    if (short < 24) return [major, short];
    check(short < 28 && major !== 7, "no definite length");
    const width = 1 << (short - 24);
    const argument = take(width).reduce((sum, byte) => sum * 256 + byte, 0);
    check(argument <= Number.MAX_SAFE_INTEGER, "too large a number");
    check(argument >= { 1: 24, 2: 256, 4: 65536, 8: 4294967296 }[width], "not the shortest form");
    return [major, argument];
  };
  const map = (count, depth) => {
    const members = new Map();
    let last = null;
    for (let n = 0; n < count; n += 1) {
      const start = at;
      const key = value(depth);
      check(typeof key === "string" || Number.isInteger(key), "a key is a number or a text");
      const encoded = hex(raw.subarray(start, at));
      check(last === null || encoded > last, "keys ascend");
      last = encoded;
      members.set(key, value(depth));
    }
    return members;
  };
  const value = (depth) => {
    check(depth <= 8, "nested too deep");
    left -= 1;
    check(left >= 0, "too many values");
    const [major, argument] = head();
    if (major === 0) return argument;
    if (major === 1) return -1 - argument;
    if (major === 2) return take(argument);
    if (major === 3) return utf8(take(argument));
    if (major === 4) {
      check(argument <= raw.length - at, "ends too early");
      return Array.from({ length: argument }, () => value(depth + 1));
    }
    if (major === 5) {
      check(2 * argument <= raw.length - at, "ends too early");
      return map(argument, depth + 1);
    }
    if (major === 6 && argument === 18) return { sign1: value(depth + 1) };
    check(major === 7 && argument >= 20 && argument <= 22, "no such value");
    return [false, true, null][argument - 20];
  };
  const document = value(0);
  check(at === raw.length, "bytes follow");
  return document;
}

function utf8(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new Altered("not UTF-8");
  }
}

function encodeHead(major, argument) {
  if (argument < 24) return [major << 5 | argument];
  if (argument < 256) return [major << 5 | 24, argument];
  if (argument < 65536) return [major << 5 | 25, argument >> 8, argument & 255];
  return [major << 5 | 26, argument >>> 24, argument >> 16 & 255, argument >> 8 & 255, argument & 255];
}

// COSE_Sign1 with an empty unprotected header; a credential has no type, lists have one.
function sign1(raw, mostItems) {
  const tagged = cbor(raw, mostItems);
  check(tagged !== null && Array.isArray(tagged.sign1) && tagged.sign1.length === 4, "no COSE_Sign1");
  const [protectedHeader, others, payload, signature] = tagged.sign1;
  check(isBytes(protectedHeader) && isBytes(payload) && isBytes(signature), "no COSE_Sign1");
  check(others instanceof Map && others.size === 0, "an unprotected header");
  const header = cbor(protectedHeader);
  check(header instanceof Map && header.size === (header.has(16) ? 3 : 2), "the header");
  const [algorithm, kid, type] = [header.get(1), header.get(4), header.has(16) ? header.get(16) : null];
  check(Number.isInteger(algorithm) && isBytes(kid) && kid.length === 8, "the header");
  check(type === null || typeof type === "string", "the header");
  const message = Uint8Array.from([
    0x84, 0x6a, ...new TextEncoder().encode("Signature1"),
    ...encodeHead(2, protectedHeader.length), ...protectedHeader, 0x40,
    ...encodeHead(2, payload.length),
  ]);
  return { algorithm, kid: hex(kid), type, payload, signature, message };
}

async function holds(signed, key) {
  if (signed.algorithm !== key.algorithm || signed.signature.length !== 64) return false;
  const message = new Uint8Array(signed.message.length + signed.payload.length);
  message.set(signed.message);
  message.set(signed.payload, signed.message.length);
  const algorithm = { name: "ECDSA", hash: "SHA-256" };
  return crypto.subtle.verify(algorithm, await key.crypto, signed.signature, message);
}

const imported = (spki) =>
  crypto.subtle.importKey("spki", spki, { name: "ECDSA", namedCurve: "P-256" }, false, ["verify"]);

const keyId = async (material) =>
  hex(new Uint8Array(await crypto.subtle.digest("SHA-256", material)).subarray(0, 8));

// The SubjectPublicKeyInfo of an X.509 certificate: the seventh part of its first part.
function spkiOf(certificate) {
  const element = (at) => {
    let length = certificate[at + 1];
    let start = at + 2;
    if (length > 127) {
      const width = length & 127;
      length = certificate.subarray(start, start + width).reduce((sum, byte) => sum * 256 + byte, 0);
      start += width;
    }
    return { start, end: start + length };
  };
  let part = element(element(element(0).start).start); // past the version
  for (let n = 0; n < 5; n += 1) part = element(part.end); // serial, algorithm, issuer, life, subject
  const begin = part.end;
  return certificate.subarray(begin, element(begin).end);
}

async function trustedKey(fields, issuer) {
  check(Array.isArray(fields) && fields.length === 6, "not a key");
  const [algorithm, kind, der, from, until, usages] = fields;
  check(isBytes(der) && [0, 1].includes(kind) && isWhole(usages, 1, 7), "not a key");
  check(isWhole(from, 0, 7258118399) && isWhole(until, 0, 7258118399), "not a key");
  if (algorithm !== ES256) return null;
  const spki = kind === 1 ? spkiOf(der) : der;
  return { algorithm, issuer, from, until, usages, kid: await keyId(der), crypto: imported(spki) };
}

async function issuerKeys(fields) {
  check(Array.isArray(fields) && fields.length === 4 && Array.isArray(fields[3]), "not an issuer");
  const [name, statusUri, log, keys] = fields;
  const issuer = { name, statusUri, log };
  return Promise.all(keys.map((key) => trustedKey(key, issuer)));
}

export async function trustList(raw, roots) {
  check(raw.length <= 1000000, "too large");
  const signed = sign1(raw, 50000);
  check(signed.type === TRUST_LIST, "not a trust list");
  for (const spki of roots) {
    const root = { algorithm: ES256, crypto: imported(spki) };
    if ((await keyId(spki)) === signed.kid && (await holds(signed, root))) {
      const payload = cbor(signed.payload, 50000);
      const issuers = payload.get(-70001);
      check(payload.size === 3 && Array.isArray(issuers), "not a trust list");
      const keys = (await Promise.all(issuers.map(issuerKeys))).flat().filter(Boolean);
      return { issuedAt: payload.get(6), expiresAt: payload.get(4), keys };
    }
  }
  throw new Altered("no root known here signed this list");
}

async function signerOf(signed, trust) {
  const candidates = trust.keys.filter((key) => key.kid === signed.kid);
  if (!candidates.length) throw new UnknownIssuer("no such key");
  for (const key of candidates) if (await holds(signed, key)) return key;
  throw new Altered("the signature does not hold");
}

function checkMaySign(key, usage, issued, expires) {
  if (!(key.usages & usage)) throw new UnknownIssuer("not for this purpose");
  if (issued < key.from || expires > key.until) throw new UnknownIssuer("not for that time");
}

export async function statusList(raw, trust) {
  check(raw.length <= 4000000, "too large");
  const signed = sign1(raw);
  check(signed.type === STATUS_LIST, "not a status list");
  const key = await signerOf(signed, trust);
  const payload = cbor(signed.payload);
  const [uri, expiresAt, issuedAt, list] = [2, 4, 6, 65533].map((name) => payload.get(name));
  check(typeof uri === "string" && list instanceof Map && list.get("bits") === 1, "not a status list");
  checkMaySign(key, STATUS, issuedAt, expiresAt);
  if (!uri.startsWith(`${key.issuer.statusUri}/`)) throw new UnknownIssuer("another issuer's list");
  const bits = await inflate(list.get("lst"), MAX_LIST_BYTES);
  return { uri, issuedAt, expiresAt, bits };
}

const has = (list, index) =>
  index < list.bits.length * 8 && Boolean(list.bits[index >> 3] >> (index & 7) & 1);

const day = (number) => {
  check(isWhole(number, -43829, 84005), "a day out of range");
  return new Date(number * 86400000).toISOString().slice(0, 10);
};

export const civilDay = (seconds) => new Date((seconds + 28800) * 1000).toISOString().slice(0, 10);

function person([form, identifier, name, birth]) {
  check(form === 1 && isBytes(identifier) && identifier.length === 16, "not a known format");
  check(typeof name === "string" && name.length > 0 && name.normalize("NFC") === name, "a name");
  check(!/[\p{Cc}\p{Cf}\p{Cn}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/u.test(name), "a name");
  return { name, birthDate: day(birth) };
}

const PROVENANCES = ["given", "paper", "other-province", "other-system"];

function history(fields) {
  check(Array.isArray(fields) && fields.length === 14, "not a history");
  const columns = fields.slice(9);
  check(columns.every((one) => Array.isArray(one) && one.length === columns[0].length), "not a history");
  const [vaccines, days, lots, clinics, origins] = columns;
  const doses = vaccines.map((vaccine, n) => {
    check(typeof vaccine === "string" && Number.isInteger(days[n]), "not a dose");
    check(lots[n] === null || typeof lots[n] === "string", "not a dose");
    check(typeof clinics[n] === "string" && isWhole(origins[n], 0, 3), "not a dose");
    const provenance = PROVENANCES[origins[n]];
    return { vaccine, day: day(fields[3] + days[n]), lot: lots[n], clinic: clinics[n], provenance };
  });
  const [effectiveOn, position] = [day(fields[4]), fields[7]];
  return { kind: "history", ...person(fields), effectiveOn, position, doses };
}

function schoolVerdict(fields) {
  check(Array.isArray(fields) && fields.length === 14 && isWhole(fields[8], 0, 2), "not a verdict");
  check(isWhole(fields[5], 0, 1) && Array.isArray(fields[9]), "not a verdict");
  const outcome = ["complete", "to-make-up", "not-to-make-up"][fields[8]];
  const missing = fields[9].map((gap) => {
    check(Array.isArray(gap) && typeof gap[0] === "string" && Array.isArray(gap[1]), "not a dose");
    return { group: gap[0], numbers: gap[1] };
  });
  check((missing.length > 0) === (outcome === "to-make-up"), "a contradiction");
  const entryType = ["kindergarten", "primary"][fields[5]];
  const common = { effectiveOn: day(fields[4]), position: fields[12] };
  return { kind: "school-verdict", ...person(fields), ...common, entryType, outcome, missing };
}

// A verdict under the statement's own number, without a class, and the clinic.
function checkStatement(fields) {
  check(Array.isArray(fields) && fields.length === 15 && fields[6] === null, "not a statement");
  const clinic = fields[14];
  check(typeof clinic === "string" && /^[0-9A-Z][0-9A-Z-]{0,15}$/.test(clinic), "not a clinic");
  return { ...schoolVerdict(fields.slice(0, 14)), kind: "check-statement", clinic };
}

const READERS = new Map([[-71, history], [-72, schoolVerdict], [-73, checkStatement]]);

function contentOf(own) {
  const [key] = [...own.keys()].filter((name) => READERS.has(name));
  check(key !== undefined, "no content");
  return READERS.get(key)(own.get(key));
}

function claims(payload) {
  const document = cbor(payload);
  check(document instanceof Map && document.size === 4, "not claims");
  const [issuer, expires, issued, own] = [1, 4, 6, -260].map((name) => document.get(name));
  check(typeof issuer === "string" && own instanceof Map && own.size === 2, "not claims");
  check(isWhole(issued, 0, 7258118399) && isWhole(expires, issued + 1, 7258118399), "not claims");
  const status = own.get(-70);
  check(Array.isArray(status) && status.length === 2, "no status");
  check(status.every((one) => isWhole(one, 0, 2 ** 31 - 1)), "no status");
  return { issuer, expires, issued, list: status[0], index: status[1], content: contentOf(own) };
}

async function authenticate(text, trust) {
  check(text.length <= MAX_CHARS && text.startsWith("HC1:"), "no credential");
  const signed = sign1(await inflate(base45(text.slice(4)), MAX_BYTES));
  check(signed.type === null, "signed for another purpose");
  const key = await signerOf(signed, trust);
  const credential = claims(signed.payload);
  if (credential.issuer !== key.issuer.name) throw new UnknownIssuer("another issuer's key");
  const usage = credential.content.kind === "history" ? HISTORY : SCHOOL_VERDICT;
  checkMaySign(key, usage, credential.issued, credential.expires);
  return { credential, issuer: key.issuer };
}

// Returns the verdict; whatever is wrong with the credential is one, and nothing is thrown for it.
export async function verify(text, trust, statuses, seconds) {
  let found;
  try {
    found = await authenticate(text, trust);
  } catch (error) {
    if (error instanceof UnknownIssuer) return { verdict: "unknown-issuer" };
    return { verdict: "altered" };
  }
  const { credential, issuer } = found;
  const newest = new Map();
  for (const list of [...statuses].sort((a, b) => a.issuedAt - b.issuedAt)) newest.set(list.uri, list);
  const now = Math.max(seconds, trust.issuedAt, ...[...newest.values()].map((list) => list.issuedAt));
  const uri = `${issuer.statusUri}/${credential.list}`;
  const verdict = judge(credential, trust, newest.get(uri), newest.get(`${uri}/superseded`), now);
  return { verdict, credential, issuer, listedAt: newest.get(uri)?.issuedAt ?? null };
}

function judge(credential, trust, listed, successors, now) {
  if (listed && has(listed, credential.index)) {
    return successors && has(successors, credential.index) ? "superseded" : "revoked";
  }
  if (now + LEEWAY < credential.issued) return "not-yet-valid";
  if (credential.expires + LEEWAY <= now) return "expired";
  if (trust.expiresAt + LEEWAY <= now || !listed || listed.expiresAt + LEEWAY <= now) return "stale-list";
  const isBeyond = credential.index >= listed.bits.length * 8 && credential.issued <= listed.issuedAt;
  return isBeyond ? "stale-list" : "valid";
}
