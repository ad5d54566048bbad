// What pages add for browsers that run scripts; all of them work without.
"use strict";

const bytesOf = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const sha256 = async (...parts) => {
  const all = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  parts.reduce((at, part) => (all.set(part, at), at + part.length), 0);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", all));
};

// The root that a C2SP tlog-proof leads to, and the one that its checkpoint states (RFC 9162, 2.1.3.2).
async function climb(entry, proof) {
  const split = proof.indexOf("\n\n");
  const lines = proof.slice(0, split).split("\n").filter((line) => !line.startsWith("extra "));
  const [, size, root] = proof.slice(split + 2).split("\n");
  const hashes = lines.slice(2).map(bytesOf);
  let index = BigInt(lines[1].slice("index ".length));
  let last = BigInt(size) - 1n;
  let node = await sha256(Uint8Array.of(0), new TextEncoder().encode(entry));
  for (const sibling of hashes) {
    if (last === 0n) throw new Error("too long");
    if (index & 1n || index === last) {
      node = await sha256(Uint8Array.of(1), sibling, node);
      while (!(index & 1n) && index !== 0n) { index >>= 1n; last >>= 1n; }
    } else {
      node = await sha256(Uint8Array.of(1), node, sibling);
    }
    index >>= 1n;
    last >>= 1n;
  }
  return { computed: hex(node), stated: hex(bytesOf(root)), complete: last === 0n };
}

async function verify(address, verdict) {
  const dossier = await (await fetch(address)).json();
  let root = "";
  for (const line of [...dossier.authors, ...dossier.entries]) {
    const found = await climb(line.entry, line.proof);
    root ||= found.stated;
    if (!found.complete || found.computed !== found.stated || found.stated !== root) {
      verdict.textContent = verdict.dataset.bad + line.position;
      verdict.className = "bad";
      return;
    }
  }
  verdict.textContent = `${verdict.dataset.good}${dossier.entries.length} · ${root}`;
  verdict.className = "good";
}

for (const form of document.querySelectorAll("[data-replay]")) {
  const slider = form.querySelector("input[type=range]");
  slider.addEventListener("input", () => { form.querySelector("output").value = slider.value; });
  slider.addEventListener("change", () => form.requestSubmit());
}
for (const button of document.querySelectorAll("[data-verify]")) {
  const verdict = document.querySelector("[data-verdict]");
  button.addEventListener("click", () => {
    verify(button.dataset.verify, verdict).catch((error) => {
      verdict.textContent = verdict.dataset.bad + error.message;
      verdict.className = "bad";
    });
  });
  button.hidden = false;
}
for (const button of document.querySelectorAll("[data-print]")) {
  button.addEventListener("click", () => window.print());
  button.hidden = false;
}
