// Signed checkpoints (C2SP signed-note, tlog-checkpoint): which tree the log's key vouches for.

import { createHash, createPublicKey, type KeyObject, verify } from "node:crypto";
import { Refuted } from "./tree.js";

const ED25519 = 1;
const SPKI_ED25519 = Buffer.from("302a300506032b6570032100", "hex"); // RFC 8410, before the 32 bytes

export interface Checkpoint {
  origin: string;
  size: number;
  root: Buffer;
  note: string;
}

interface LogKey {
  name: string;
  id: Buffer;
  key: KeyObject;
}

/** Judges checkpoints of one log by the Ed25519 keys of a policy or of a list of verifier keys. */
export class Trust {
  private readonly keys: LogKey[];

  constructor(text: string, private readonly origin: string) {
    const words = text.split("\n").map((line) => line.replace(/^log\s+/, "").split(/\s+/)[0] ?? "");
    this.keys = words.flatMap(parseKey).filter((key) => key.name === origin);
    if (this.keys.length === 0) throw new Error(`no Ed25519 key of ${origin} is trusted`);
  }

  judge(note: string): Checkpoint {
    const end = note.lastIndexOf("\n\n");
    const text = Buffer.from(note.slice(0, end + 1), "utf8");
    const signatures = note.slice(end + 2).split("\n");
    const [origin, size, root] = text.toString("utf8").split("\n");
    if (end < 0 || origin !== this.origin || !/^(0|[1-9][0-9]{0,15})$/.test(size ?? "")) {
      throw new Refuted("checkpoint-not-trusted");
    }
    if (!this.keys.some((key) => signatures.some((line) => signs(key, line, text)))) {
      throw new Refuted("checkpoint-not-trusted");
    }
    return { origin, size: Number(size), root: Buffer.from(root ?? "", "base64"), note };
  }
}

/** A verifier key, `<name>+<id>+<base64 of type and key>`; of other types nothing is returned. */
function parseKey(word: string): LogKey[] {
  const [name, id, ...rest] = word.split("+");
  const material = Buffer.from(rest.join("+"), "base64");
  if (name === undefined || id === undefined || material[0] !== ED25519 || material.length !== 33) {
    return [];
  }
  const expected = createHash("sha256").update(`${name}\n`).update(material).digest().subarray(0, 4);
  if (expected.toString("hex") !== id) throw new Error(`the key of ${name} has another id`);
  const der = Buffer.concat([SPKI_ED25519, material.subarray(1)]);
  return [{ name, id: expected, key: createPublicKey({ key: der, format: "der", type: "spki" }) }];
}

function signs(key: LogKey, line: string, text: Buffer): boolean {
  const [dash, name, encoded] = line.split(" ");
  if (dash !== "\u2014" || name !== key.name || encoded === undefined) return false;
  const signature = Buffer.from(encoded, "base64");
  return signature.subarray(0, 4).equals(key.id) && verify(null, text, key.key, signature.subarray(4));
}
