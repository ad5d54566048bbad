// Messages (CloudEvents 1.0, structured JSON) and lines of /v1/entries: entries with their place.

import type { JsMsg } from "nats";
import { leafHash, Refuted } from "./tree.js";

const CONTENT_TYPE = "application/cloudevents+json";
const DATA = Buffer.from(',"data":');
const MAX_HEAD_BYTES = 4_096;
const MAX_ENTRY_BYTES = 16_384;
const PLACES = ["province", "city", "county"] as const;

export interface Row {
  position: number;
  /** Newest earlier positions of the entry's province, city and county. */
  previous: number[];
  leaf: Buffer;
  entry: { origin: string; topic: string; division: string; stream: string; data: Record<string, unknown> };
}

/** Reads a message; what follows from the entry must be what the attributes say. */
export function readMessage(message: JsMsg): Row {
  const refused = new Refuted("message-refused", message.seq);
  if (message.headers?.get("Content-Type") !== CONTENT_TYPE) throw refused;
  const body = Buffer.from(message.data);
  const at = body.subarray(0, MAX_HEAD_BYTES).indexOf(DATA);
  if (at < 0 || body.at(-1) !== 0x7d) throw refused;
  const head = parseJson(Buffer.concat([body.subarray(0, at), Buffer.from("}")]), refused);
  const row = readEntry(
    body.subarray(at + DATA.length, -1),
    decimal(head["ledgerposition"], refused),
    PLACES.map((place) => decimal(head[`previous${place}`], refused)),
    refused,
  );
  const { division, topic } = row.entry;
  const places = [division.slice(0, 2), division.slice(2, 4), division.slice(4, 6)];
  const holds =
    head["specversion"] === "1.0" &&
    head["id"] === String(row.position) &&
    head["type"] === topic &&
    head["subject"] === row.entry.stream &&
    head["leafhash"] === row.leaf.toString("hex") &&
    message.subject === ["vax", ...places, topic].join(".") &&
    message.seq === row.position;
  if (!holds) throw refused;
  return row;
}

/** Reads a line of the log's server. */
export function readLine(line: string): Row {
  const refused = new Refuted("log-incomplete");
  const found = parseJson(Buffer.from(line), refused);
  const previous = found["previous"] as Record<string, number>;
  const entry = Buffer.from(found["entry"] as string, "utf8");
  return readEntry(entry, found["position"] as number, PLACES.map((place) => previous[place]!), refused);
}

function readEntry(raw: Buffer, position: number, previous: number[], refused: Refuted): Row {
  if (raw.length > MAX_ENTRY_BYTES) throw refused;
  const entry = parseJson(raw, refused) as unknown as Row["entry"];
  if (typeof entry.topic !== "string" || !/^[0-9]{6}([0-9]{3})?$/.test(entry.division)) throw refused;
  return { position, previous, leaf: leafHash(raw), entry };
}

function parseJson(raw: Buffer, refused: Refuted): Record<string, unknown> {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(raw)) as Record<string, unknown>;
  } catch {
    throw refused;
  }
}

function decimal(value: unknown, refused: Refuted): number {
  if (typeof value !== "string" || !/^(0|[1-9][0-9]{0,15})$/.test(value)) throw refused;
  return Number(value);
}
