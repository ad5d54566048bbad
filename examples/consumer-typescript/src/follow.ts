// Following a division: begin with the log's server, go on by the stream, believe only what is proven.

import { connect, type JsMsg, type NatsConnection } from "nats";
import type { Checkpoint, Trust } from "./checkpoint.js";
import { readMessage, type Row } from "./entry.js";
import type { ServedLog } from "./log.js";
import type { Store } from "./store.js";
import { Frontier, ProvenTiles, Refuted, verifyConsistency } from "./tree.js";

const QUIET_MS = 2_000;
const GATHER_MS = 20;
const RETRY_MS = 500;
const COVER_TRIES = 20;
const DOSES = ["vaccination-record.dose-administered.v1", "vaccination-record.dose-transcribed.v1"];

export interface Credentials {
  url: string;
  user: string;
  password: string;
  stream: string;
  durable: string;
  inbox_prefix: string;
  api_prefix: string;
  origin: string;
  division: string;
}

export class Follower {
  private tree: Checkpoint;
  private readonly raised = new Set<string>();

  constructor(
    private readonly credentials: Credentials,
    private readonly log: ServedLog,
    private readonly trust: Trust,
    private readonly store: Store,
  ) {
    const { checkpoint } = store.kept;
    // Our own memory: it was judged when it was stored.
    const [origin, size, root] = checkpoint.split("\n");
    this.tree = { origin: origin ?? "", size: Number(size ?? 0), root: Buffer.from(root ?? "", "base64"), note: checkpoint };
  }

  /** Follows for ever; throws when the log itself forked or does not hold. */
  async run(): Promise<never> {
    for (;;) {
      try {
        await this.renew();
        await this.readOn(this.tree.size);
        await this.stream();
      } catch (error) {
        if (error instanceof Refuted) {
          this.alarm(error.kind);
          if (error.kind === "forked" || error.kind === "not-in-the-tree") throw error;
        }
        await pause(RETRY_MS);
      }
    }
  }

  private async stream(): Promise<void> {
    const { url, user, password, inbox_prefix, api_prefix, stream, durable } = this.credentials;
    const connection = await connect({
      servers: url.split(","),
      user,
      pass: password,
      inboxPrefix: inbox_prefix,
      reconnect: false,
    });
    try {
      const jetstream = connection.jetstream({ apiPrefix: api_prefix });
      const consumer = await jetstream.consumers.get(stream, durable);
      const messages = await consumer.consume({ max_messages: 200 });
      const queue: JsMsg[] = [];
      const pulling = async () => {
        for await (const message of messages) queue.push(message);
      };
      pulling().catch(() => connection.close()); // the next round connects anew
      await this.drain(connection, queue);
    } finally {
      await connection.close();
    }
  }

  private async drain(connection: NatsConnection, queue: JsMsg[]): Promise<void> {
    let quietSince = Date.now();
    while (!connection.isClosed()) {
      await pause(GATHER_MS);
      if (queue.length > 0) {
        const messages = queue.splice(0);
        await this.accept(messages);
        messages.forEach((message) => message.ack());
        quietSince = Date.now();
      } else if (Date.now() - quietSince > QUIET_MS) {
        await this.renew();
        const before = this.store.kept.position;
        await this.readOn(this.tree.size);
        if (this.store.kept.position > before) return; // the stream had lost it: subscribe anew
        quietSince = Date.now();
      }
    }
  }

  private async accept(messages: JsMsg[]): Promise<void> {
    const rows: Row[] = [];
    let last = this.store.kept.position;
    let upto = last;
    let flawed = false;
    for (const message of messages) {
      try {
        const row = readMessage(message);
        if (row.position <= last) {
          this.recognise(row);
          continue;
        }
        flawed ||= this.before(row) > last;
        rows.push(row);
        last = row.position;
      } catch (error) {
        if (!(error instanceof Refuted)) throw error;
        this.alarm(error.kind);
        flawed = true;
      }
      upto = Math.max(upto, message.seq);
    }
    if (!(await this.cover(upto))) flawed = true;
    upto = Math.min(upto, this.tree.size);
    if (!flawed && upto > this.store.kept.position) {
      try {
        await this.confirm(rows, upto);
        this.raised.clear();
        return;
      } catch (error) {
        if (!(error instanceof Refuted)) throw error;
        this.alarm("message-altered");
      }
    }
    await this.readOn(upto);
  }

  /** Waits a little for a checkpoint that covers a position: the stream may be faster. */
  private async cover(upto: number): Promise<boolean> {
    for (let tries = 0; tries < COVER_TRIES && upto > this.tree.size; tries += 1) {
      await this.renew();
      if (upto > this.tree.size) await pause(RETRY_MS / 5);
    }
    if (upto > this.tree.size) this.alarm("ahead-of-the-log");
    return upto <= this.tree.size;
  }

  /** Takes in the newest checkpoint, which must extend the one that is remembered. */
  private async renew(): Promise<void> {
    const tree = this.trust.judge(await this.log.checkpoint());
    if (tree.size < this.tree.size) throw new Refuted("rolled-back");
    if (this.tree.size > 0) {
      const proof = tree.size === this.tree.size ? [] : await this.log.consistency(this.tree.size, tree.size);
      verifyConsistency(this.tree.size, tree.size, proof, this.tree.root, tree.root);
    }
    this.tree = tree;
  }

  private async readOn(upto: number): Promise<void> {
    while (this.store.kept.position < upto) {
      const after = this.store.kept.position;
      const end = this.log.pageEnd(after, upto);
      await this.confirm(await this.log.entries(after, end), end);
    }
  }

  /** Proves rows to be all of ours in (position, upto], then stores effect and memory at once. */
  private async confirm(rows: Row[], upto: number): Promise<void> {
    const { division } = this.credentials;
    let last = this.store.kept.position;
    for (const [at, row] of rows.entries()) {
      const before = this.before(row);
      const follows = at === 0 ? before <= last : before === last;
      if (!follows || !row.entry.division.startsWith(division)) throw new Refuted("log-incomplete", row.position);
      last = row.position;
    }
    const frontier = division === "" ? await this.grow(rows, upto) : await this.prove(rows);
    this.apply(rows);
    Object.assign(this.store.kept, { position: upto, frontier, checkpoint: this.tree.note });
    this.store.commit();
  }

  private async grow(rows: Row[], upto: number): Promise<string[]> {
    const { position, frontier } = this.store.kept;
    const grown = Frontier.parse(position, frontier);
    rows.forEach((row) => grown.append(row.leaf));
    if (grown.size !== upto) throw new Refuted("log-incomplete", grown.size);
    const { size, root } = this.tree;
    try {
      const proof = upto === size ? [] : await this.log.consistency(upto, size);
      verifyConsistency(upto, size, proof, grown.root(), root);
    } catch (error) {
      throw error instanceof Refuted ? new Refuted("not-in-the-tree") : error;
    }
    return grown.hashes();
  }

  private async prove(rows: Row[]): Promise<string[]> {
    const tiles = new ProvenTiles(this.tree.size, this.tree.root, (...place) => this.log.tile(...place));
    for (const row of rows) {
      const leaf = await tiles.leaf(row.position);
      if (!leaf.equals(row.leaf)) throw new Refuted("not-in-the-tree", row.position);
    }
    return [];
  }

  /** The effect: doses by vaccine. Types that are unknown here count for nothing but their position. */
  private apply(rows: Row[]): void {
    const { doses, applied } = this.store.kept;
    for (const { position, leaf, entry } of rows) {
      applied.push({ position, leaf: leaf.toString("hex") });
      if (!DOSES.includes(entry.topic)) continue;
      const vaccine = String(entry.data["vaccine"]);
      doses[vaccine] = (doses[vaccine] ?? 0) + 1;
    }
  }

  private before(row: Row): number {
    const { division } = this.credentials;
    return division === "" ? row.position - 1 : (row.previous[division.length / 2 - 1] ?? 0);
  }

  private recognise(row: Row): void {
    const known = this.store.kept.applied.findLast((one) => one.position === row.position);
    if (known !== undefined && known.leaf !== row.leaf.toString("hex")) this.alarm("redelivery-altered");
  }

  private alarm(kind: string): void {
    if (this.raised.has(kind)) return;
    this.raised.add(kind);
    this.store.kept.alarms.push(kind);
    this.store.commit();
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
