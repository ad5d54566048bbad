// The Merkle tree of RFC 9162, section 2.1, and the tiles of C2SP tlog-tiles.

import { createHash } from "node:crypto";

export const TILE_WIDTH = 256;

/** What was found does not fit what was signed. */
export class Refuted extends Error {
  constructor(
    readonly kind: string,
    readonly position: number | null = null,
  ) {
    super(kind);
  }
}

export function leafHash(entry: Uint8Array): Buffer {
  return createHash("sha256").update(Buffer.of(0)).update(entry).digest();
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return createHash("sha256").update(Buffer.of(1)).update(left).update(right).digest();
}

/** Root over the roots of complete subtrees, largest first. */
function fold(peaks: Buffer[]): Buffer {
  const last = peaks.at(-1);
  if (last === undefined) return createHash("sha256").digest();
  return peaks.slice(0, -1).reduceRight((right, left) => nodeHash(left, right), last);
}

/** The right edge of a growing tree: one hash for each bit of its size, largest first. */
export class Frontier {
  constructor(
    public size = 0,
    private peaks: Buffer[] = [],
  ) {}

  static parse(size: number, peaks: string[]): Frontier {
    return new Frontier(size, peaks.map((peak) => Buffer.from(peak, "hex")));
  }

  append(leaf: Buffer): void {
    let node = leaf;
    for (let size = this.size; size % 2 === 1; size = Math.floor(size / 2)) {
      node = nodeHash(this.peaks.pop()!, node);
    }
    this.peaks.push(node);
    this.size += 1;
  }

  copy(): Frontier {
    return new Frontier(this.size, [...this.peaks]);
  }

  root(): Buffer {
    return fold(this.peaks);
  }

  hashes(): string[] {
    return this.peaks.map((peak) => peak.toString("hex"));
  }
}

/** Throws unless the tree of `old` leaves is a prefix of that of `size` (RFC 9162, 2.1.4.2). */
export function verifyConsistency(
  old: number,
  size: number,
  proof: Buffer[],
  oldRoot: Buffer,
  root: Buffer,
): void {
  if (old === 0) return;
  if (old === size) {
    if (proof.length > 0 || !oldRoot.equals(root)) throw new Refuted("forked");
    return;
  }
  const path = isPowerOfTwo(old) ? [oldRoot, ...proof] : [...proof];
  let first = old - 1;
  let last = size - 1;
  while (first % 2 === 1) [first, last] = [half(first), half(last)];
  const start = path.shift();
  if (start === undefined || old > size) throw new Refuted("forked");
  let [left, whole] = [start, start];
  for (const step of path) {
    if (last === 0) throw new Refuted("forked");
    if (first % 2 === 1 || first === last) {
      [left, whole] = [nodeHash(step, left), nodeHash(step, whole)];
      while (first % 2 === 0 && first !== 0) [first, last] = [half(first), half(last)];
    } else {
      whole = nodeHash(whole, step);
    }
    [first, last] = [half(first), half(last)];
  }
  if (last !== 0 || !left.equals(oldRoot) || !whole.equals(root)) throw new Refuted("forked");
}

export type ReadTile = (level: number, index: number, width: number) => Promise<Buffer>;

/** Leaf hashes that are proven to lie in one signed tree, read through its public tiles. */
export class ProvenTiles {
  private readonly proven = new Map<string, Buffer[]>();

  constructor(
    private readonly size: number,
    private readonly root: Buffer,
    private readonly read: ReadTile,
  ) {}

  async leaf(position: number): Promise<Buffer> {
    const tile = await this.tile(0, half(position - 1, 8));
    return tile[(position - 1) % TILE_WIDTH]!;
  }

  private async tile(level: number, index: number): Promise<Buffer[]> {
    if (!this.proven.has("edge")) await this.proveEdge();
    const known = this.proven.get(`${level}/${index}`);
    if (known !== undefined) return known;
    // Not at the right edge, so full: its root stands in the tile above.
    const hashes = await this.fetch(level, index, TILE_WIDTH);
    const above = await this.tile(level + 1, half(index, 8));
    if (!subtrees(hashes)[0]!.equals(above[index % TILE_WIDTH]!)) throw new Refuted("not-in-the-tree");
    this.proven.set(`${level}/${index}`, hashes);
    return hashes;
  }

  /** The partial tiles of all levels hold the peaks of the tree, which make its root. */
  private async proveEdge(): Promise<void> {
    const peaks: Buffer[] = [];
    for (let level = 0, count = this.size; count > 0; level += 1, count = half(count, 8)) {
      const width = count % TILE_WIDTH;
      if (width === 0) continue;
      const index = half(count, 8);
      const hashes = await this.fetch(level, index, width);
      this.proven.set(`${level}/${index}`, hashes);
      peaks.unshift(...subtrees(hashes));
    }
    if (!fold(peaks).equals(this.root)) throw new Refuted("not-in-the-tree");
    this.proven.set("edge", []);
  }

  private async fetch(level: number, index: number, width: number): Promise<Buffer[]> {
    const raw = await this.read(level, index, width);
    if (raw.length < width * 32) throw new Refuted("not-in-the-tree");
    return Array.from({ length: width }, (_, at) => raw.subarray(at * 32, at * 32 + 32));
  }
}

/** Roots of the complete subtrees over some hashes, largest first. */
function subtrees(hashes: Buffer[]): Buffer[] {
  const roots: Buffer[] = [];
  for (let start = 0, bit = TILE_WIDTH; bit > 0; bit = half(bit)) {
    if ((hashes.length & bit) === 0) continue;
    let nodes = hashes.slice(start, start + bit);
    while (nodes.length > 1) {
      nodes = Array.from({ length: nodes.length / 2 }, (_, at) => nodeHash(nodes[2 * at]!, nodes[2 * at + 1]!));
    }
    roots.push(nodes[0]!);
    start += bit;
  }
  return roots;
}

function isPowerOfTwo(size: number): boolean {
  return Number.isInteger(Math.log2(size));
}

// Sizes may pass 2^31, where JavaScript's own shifts end.
function half(value: number, times = 1): number {
  return Math.floor(value / 2 ** times);
}
