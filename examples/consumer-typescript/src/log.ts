// The log's server over HTTP. Nothing it says is believed here; follow.ts judges it.

import { readLine, type Row } from "./entry.js";
import { Refuted } from "./tree.js";

const PAGE = 1_000;
const SECONDS = 30;

export class ServedLog {
  constructor(
    private readonly url: string,
    private readonly token: string,
  ) {}

  async checkpoint(): Promise<string> {
    return (await this.get("/checkpoint")).toString("utf8");
  }

  /** What we may see in (after, upto], in order. */
  async entries(after: number, upto: number): Promise<Row[]> {
    const limit = Math.min(PAGE, upto - after);
    const body = await this.get(`/v1/entries?after=${after}&limit=${limit}`);
    const rows = body.toString("utf8").split("\n").filter(Boolean).map(readLine);
    let last = after;
    for (const row of rows) {
      if (row.position <= last || row.position > after + limit) throw new Refuted("log-incomplete", last);
      last = row.position;
    }
    return rows;
  }

  async consistency(old: number, size: number): Promise<Buffer[]> {
    const body = await this.get(`/v1/proofs/consistency?old=${old}&new=${size}`);
    const { hashes } = JSON.parse(body.toString("utf8")) as { hashes: string[] };
    return hashes.map((hash) => Buffer.from(hash, "hex"));
  }

  async tile(level: number, index: number, width: number): Promise<Buffer> {
    const groups = [String(index % 1000).padStart(3, "0")];
    for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
      groups.unshift(`x${String(rest % 1000).padStart(3, "0")}`);
    }
    return this.get(`/tile/${level}/${groups.join("/")}${width === 256 ? "" : `.p/${width}`}`);
  }

  pageEnd(after: number, upto: number): number {
    return Math.min(after + PAGE, upto);
  }

  private async get(path: string): Promise<Buffer> {
    const answer = await fetch(this.url + path, {
      headers: this.token === "" ? {} : { authorization: `Bearer ${this.token}` },
      signal: AbortSignal.timeout(SECONDS * 1000),
    });
    if (!answer.ok) throw new Error(`${path}: status ${answer.status}`);
    return Buffer.from(await answer.arrayBuffer());
  }
}
