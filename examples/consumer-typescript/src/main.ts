// node dist/main.js run ACCESS       follow the log for ever
// node dist/main.js report ACCESS    print the effect as JSON
//
// ACCESS is the file that docs/integrators.md describes; the data lies beside it.

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Trust } from "./checkpoint.js";
import { type Credentials, Follower } from "./follow.js";
import { ServedLog } from "./log.js";
import { Store } from "./store.js";
import { Refuted } from "./tree.js";

const [, , what, access] = process.argv;
if (access === undefined || (what !== "run" && what !== "report")) {
  console.error("usage: main.js run|report ACCESS");
  process.exit(2);
}
const folder = dirname(access);
const store = new Store(join(folder, "consumer.json"));

if (what === "report") {
  const { applied, alarms, doses } = store.kept;
  console.log(JSON.stringify({ applied, alarms, doses }));
} else {
  const files = JSON.parse(readFileSync(access, "utf8")) as Record<"credentials" | "log" | "token" | "trust", string>;
  const read = (name: string) => readFileSync(join(folder, name), "utf8");
  const credentials = JSON.parse(read(files.credentials)) as Credentials;
  const trust = new Trust(read(files.trust), credentials.origin);
  const log = new ServedLog(files.log, read(files.token).trim());
  try {
    await new Follower(credentials, log, trust, store).run();
  } catch (error) {
    if (!(error instanceof Refuted)) throw error;
    console.error(`the log does not hold: ${error.kind}`);
    process.exit(1);
  }
}
