// The page that verifies credentials: scans, reads a picture or takes pasted text; sends nothing.
import { civilDay, statusList, trustList, verify } from "/credential.js";
import { attach } from "/scan.js";

const words = JSON.parse(document.querySelector("#words").textContent);
const english = document.documentElement.lang === "en";
const t = (zh, en) => (english ? en : zh);
const find = (selector) => document.querySelector(selector);
const base64 = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const STORE = "vaxledger-lists";
const MOST_LISTS = 64;
const STATEMENT_LISTS = 2 ** 30;

let lists = null;

// Lists: the newest that were ever seen are kept, whatever the server hands out later ------------

async function bytesOf(response) {
  return response?.ok ? new Uint8Array(await response.arrayBuffer()) : null;
}

async function newest(address, read) {
  const store = await caches.open(STORE);
  const kept = await bytesOf(await store.match(address));
  let fetched = null;
  try {
    fetched = await bytesOf(await fetch(address, { cache: "no-cache" }));
  } catch (error) {
    fetched = null; // offline
  }
  let best = null;
  for (const raw of [kept, fetched]) {
    if (raw === null) continue;
    try {
      const list = await read(raw);
      if (best === null || list.issuedAt > best.list.issuedAt) best = { raw, list };
    } catch (error) {
      // not a list of anybody who is trusted
    }
  }
  if (best !== null) await store.put(address, new Response(best.raw));
  return best?.list ?? null;
}

async function listsFrom(first, trust) {
  const found = [];
  for (let number = first; number < first + MOST_LISTS; number += 1) {
    const address = `/certificates/status/${number}`;
    const read = (raw) => statusList(raw, trust);
    const list = await newest(address, read);
    if (list === null) break;
    const successors = await newest(`${address}/superseded`, read);
    found.push(list, ...(successors === null ? [] : [successors]));
  }
  return found;
}

async function refresh() {
  const roots = words.roots.map(base64);
  const trust = await newest("/certificates/trust-list", (raw) => trustList(raw, roots));
  const statuses = [];
  if (trust !== null) {
    statuses.push(...await listsFrom(0, trust), ...await listsFrom(STATEMENT_LISTS, trust));
  }
  lists = trust === null ? null : { trust, statuses };
  const made = Math.min(...statuses.map((list) => list.issuedAt));
  find("#lists").textContent = statuses.length
    ? t(`状态名单截至 ${moment(made)}`, `Status lists of ${moment(made)}`)
    : t("尚未取得名单，请联网后更新。", "There are no lists yet; go online and update.");
}

const moment = (seconds) => 
  new Date(seconds * 1000).toLocaleString(t("zh-CN", "en-GB"), { timeZone: "Asia/Shanghai" });
const dayInWords = (day) => {
  const [year, month, date] = day.split("-").map(Number);
  return english ? day : `${year}年${month}月${date}日`;
};

// The verdict ------------------------------------------------------------------------------------

const GOOD = new Set(["valid"]);
const CAREFUL = new Set(["stale-list", "not-yet-valid"]);
const PROVENANCES = {
  given: t("本单位接种", "given there"),
  paper: t("按纸质补录", "from paper"),
  "other-province": t("外省接种，补录", "from another province"),
  "other-system": t("其他系统，补录", "from another system"),
};
const TITLES = {
  "school-verdict": t("入托、入学查验", "School entry"),
  "check-statement": t("入托、入学查验证明（附件2）", "Check statement (annex 2)"),
};
const OUTCOMES = {
  complete: t("完成全程接种", "Complete"),
  "to-make-up": t("需补种", "To be made up"),
  "not-to-make-up": t("无需补种", "Nothing to make up"),
};

function sentence({ verdict, credential, listedAt }) {
  const finals = verdict === "revoked" || verdict === "superseded";
  const isYounger = credential && verdict === "valid" && credential.issued > listedAt;
  const asOf = finals ? listedAt : Math.max(listedAt ?? 0, credential?.issued ?? 0);
  const text = words.sentences[isYounger ? "younger-than-list" : verdict][english ? "en" : "zh"];
  return text.replace("{day}", dayInWords(civilDay(asOf)));
}

function element(name, text, className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = className;
  return made;
}

function facts(rows) {
  const list = element("dl", "", "facts");
  for (const [label, text] of rows) list.append(element("dt", label), element("dd", text));
  return list;
}

function table(titles, rows) {
  const box = element("div", "", "scroll");
  const made = element("table", "");
  const head = made.createTHead().insertRow();
  for (const title of titles) head.append(element("th", title));
  const body = made.createTBody();
  for (const row of rows) {
    const line = body.insertRow();
    for (const cell of row) line.append(element("td", cell));
  }
  box.append(made);
  return box;
}

const named = (names, code) => names[code]?.[english ? "en" : "zh"] ?? code;

function dosesOf(content) {
  const list = element("ol", "", "timeline");
  for (const dose of content.doses) {
    const line = element("li", "");
    const lot = `${t("批号", "lot")} ${dose.lot ?? "—"}`;
    const rest = [lot, dose.clinic, PROVENANCES[dose.provenance]].join(" · ");
    line.append(
      element("time", dose.day), " ", element("strong", named(words.vaccines, dose.vaccine)),
      element("br", ""), element("span", rest, "soft"),
    );
    list.append(line);
  }
  return list;
}

function shown(content) {
  if (content.kind === "history") {
    return [element("h2", t(`接种记录（${content.doses.length}剂次）`, `Doses (${content.doses.length})`)), dosesOf(content)];
  }
  const gaps = content.missing.map((gap) => [named(words.groups, gap.group), gap.numbers.join("、")]);
  return [
    element("h2", TITLES[content.kind]),
    ...(content.clinic ? [element("p", `${t("出具单位", "Stated by")} ${content.clinic}`)] : []),
    element("p", OUTCOMES[content.outcome]),
    ...(gaps.length ? [table([t("疫苗", "Vaccine"), t("第几剂", "Dose numbers")], gaps)] : []),
  ];
}

function show(found) {
  const box = find("#result");
  const mood = GOOD.has(found.verdict) ? "good" : CAREFUL.has(found.verdict) ? "careful" : "bad";
  const sign = { good: "✓ ", careful: "! ", bad: "✗ " }[mood];
  const verdict = element("p", sign + sentence(found), `verdict ${mood}`);
  verdict.dataset.verdict = found.verdict;
  box.replaceChildren(verdict);
  const content = found.credential?.content;
  if (content) {
    box.append(
      facts([
        [t("姓名", "Name"), content.name],
        [t("出生日期", "Born"), content.birthDate],
        [t("记录截至", "As of"), content.effectiveOn],
        [t("签发时间", "Issued"), moment(found.credential.issued)],
        [t("有效期至", "Last day"), civilDay(found.credential.expires - 1)],
        [t("签发机构", "Issuer"), found.credential.issuer],
        [t("账本位置", "Log position"), String(content.position)],
      ]),
      element("p", t("请核对姓名和出生日期与持证人一致。", "Compare name and birth date with the person."), "warning"),
      ...shown(content),
      element("p", t(words.notice.zh, words.notice.en), "soft"),
    );
  }
  verdict.tabIndex = -1;
  verdict.focus();
}

async function judge(text) {
  const trimmed = text.replace(/[\r\n]/g, "");
  if (lists === null) await refresh();
  if (lists === null) return find("#lists").focus();
  return show(await verify(trimmed, lists.trust, lists.statuses, Date.now() / 1000));
}

// Ways to get the text ---------------------------------------------------------------------------

async function start() {
  find("#paste").addEventListener("submit", (event) => {
    event.preventDefault();
    judge(find("#text").value);
  });
  find("#update").addEventListener("click", refresh);
  await attach(judge, {
    noCamera: t("无法使用摄像头，请选择照片或粘贴。", "No camera; choose a picture or paste."),
    noCode: t("照片中没有可识别的二维码。", "No code is found in the picture."),
  });
  if ("serviceWorker" in navigator) await navigator.serviceWorker.register("/verify-worker.js", { scope: "/verify" });
  await refresh();
  document.body.dataset.ready = "yes";
}

start();
