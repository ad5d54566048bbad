// Data and memory in one file, replaced as a whole: both are there or neither.

import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";

export interface Kept {
  /** Up to here every entry of the division has had its effect. */
  position: number;
  /** Right edge of the tree at that position; only of a subscriber of everything. */
  frontier: string[];
  /** The newest signed note that was believed. */
  checkpoint: string;
  doses: Record<string, number>;
  applied: { position: number; leaf: string }[];
  alarms: string[];
}

export class Store {
  readonly kept: Kept;

  constructor(private readonly path: string) {
    this.kept = existsSync(path)
      ? (JSON.parse(readFileSync(path, "utf8")) as Kept)
      : { position: 0, frontier: [], checkpoint: "", doses: {}, applied: [], alarms: [] };
  }

  commit(): void {
    const draft = `${this.path}.new`;
    const file = openSync(draft, "w");
    writeSync(file, JSON.stringify(this.kept));
    fsyncSync(file);
    closeSync(file);
    renameSync(draft, this.path);
  }
}
