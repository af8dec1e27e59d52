
"use strict";
// What a trajectory says only ever becomes text nodes: nothing here writes HTML.

const BATCH = 200; // rows of the list that are drawn at a time
const LONG = { characters: 2400, lines: 18 }; // context beyond this is clipped until asked for
const MAX_HIGHLIGHTS = 2000;

const byId = (id) => document.getElementById(id);
const parse = (id) => JSON.parse(byId(id).textContent);
const list = byId("list"), script = byId("script"), query = byId("query"), help = byId("help");
const { about, trajectories } = parse("index");
trajectories.forEach((entry, place) => { entry.place = place; });

let shown = trajectories; // what passes the filters, in order
let drawn = 0; // how many of them are in the list
let selected = null;
let words = []; // what is searched for
let otherType = false; // whether type of one width is asked for where it is not usual, and the other way round
let searches = 0;
const searchTexts = []; // by place, made when first searched

function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children.filter((child) => child !== null));
  return element;
}

const number = (value) => value.toLocaleString("en");
const plural = (count, noun) => `${number(count)} ${noun}${count === 1 ? "" : "s"}`;
const outcome = ({ success, stop }) =>
  success === null ? ["soft", "? unknown"] : success ? ["won", "✓ success"] : ["lost", `✗ failed (${stop})`];

// ---- The list

function drawItem(entry) {
  const { reason, act } = entry.counts;
  const share = reason + act ? Math.round((100 * reason) / (reason + act)) : null;
  const [className, text] = outcome(entry);
  const bar = make("div", "bar");
  for (const [kind, width] of [["reason", share], ["act", 100 - share]]) {
    const part = make("i", kind);
    part.style.width = `${width}%`;
    if (share !== null && width) bar.append(part);
  }
  const item = make(
    "div", "item",
    make("p", "task", entry.task || "(no task)"),
    make("p", "id", entry.id),
    make(
      "p", "facts",
      make("span", className, text),
      make("span", "soft", plural(entry.steps, "step")),
      make("span", "soft", share === null ? "nothing to learn" : `${share}% reason`),
    ),
    bar,
  );
  item.id = `item-${entry.place}`;
  item.role = "option";
  item.ariaSelected = entry === selected;
  item.ariaPosInSet = drawn + 1;
  item.ariaSetSize = shown.length;
  return item;
}

function drawMore() {
  const batch = document.createDocumentFragment();
  for (const end = Math.min(drawn + BATCH, shown.length); drawn < end; drawn++) batch.append(drawItem(shown[drawn]));
  list.append(batch);
}

function drawList() {
  list.replaceChildren();
  list.scrollTop = drawn = 0;
  drawMore();
  const all = plural(trajectories.length, "trajectory").replace("trajectorys", "trajectories");
  const part = about.more ? `the first ${all} of the file` : all;
  byId("count").textContent = shown.length === trajectories.length ? part : `${number(shown.length)} of ${part}`;
  if (!shown.length) list.append(make("p", "item none", "No trajectory passes the search and the filters."));
  markSelected();
}

function markSelected() {
  list.querySelector('[aria-selected="true"]')?.setAttribute("aria-selected", "false");
  const place = shown.indexOf(selected);
  while (place >= drawn) drawMore();
  const item = place < 0 ? null : byId(`item-${selected.place}`);
  item?.setAttribute("aria-selected", "true");
  item?.scrollIntoView({ block: "nearest" });
  if (item) list.setAttribute("aria-activedescendant", item.id);
  else list.removeAttribute("aria-activedescendant");
  byId("position").textContent = place < 0 ? "not in the list" : `${number(place + 1)} of ${number(shown.length)}`;
  byId("previous").disabled = place === 0 || !shown.length;
  byId("next").disabled = place === shown.length - 1;
}

// ---- Search, filter, sort

const ORDERS = {
  file: (one, other) => one.place - other.place,
  long: (one, other) => other.steps - one.steps,
  short: (one, other) => one.steps - other.steps,
  high: (one, other) => reward(other, -Infinity) - reward(one, -Infinity) || 0,
  low: (one, other) => reward(one, Infinity) - reward(other, Infinity) || 0,
};

/** The reward, or what stands in for one that is not known, so that those come last. */
const reward = (entry, otherwise) => (Number.isFinite(entry.reward) ? entry.reward : otherwise);

const stepText = (step) => `${step.observation}\n${step.spans.map(([, text]) => text).join("")}`.toLowerCase();

function searchText(entry) {
  searchTexts[entry.place] ??= [
    entry.task, entry.id, entry.task_id, ...record(entry).steps.map(stepText), record(entry).final ?? "",
  ].join("\n").toLowerCase();
  return searchTexts[entry.place];
}

function passes(entry) {
  const [wanted, mark] = [byId("outcome").value, byId("mark").value];
  return (!wanted || String(entry.success) === wanted) && (!mark || entry.marks.includes(mark)) &&
    entry.steps >= Number(byId("least").value) && entry.steps <= (byId("most").valueAsNumber || Infinity);
}

async function refresh() {
  const search = ++searches;
  words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
  const found = [];
  let pause = performance.now() + 40;
  for (const entry of trajectories.filter(passes)) {
    if (words.every((word) => searchText(entry).includes(word))) found.push(entry);
    if (performance.now() < pause) continue;
    byId("count").textContent = `Searching… ${number(found.length)} found`;
    await new Promise((resume) => setTimeout(resume));
    if (search !== searches) return; // a newer one is under way
    pause = performance.now() + 40;
  }
  const set = ["outcome", "mark", "least", "most"].filter((id) => byId(id).value).length;
  byId("active").textContent = set ? `· ${plural(set, "filter")} set` : "";
  shown = found.sort(ORDERS[byId("sort").value]);
  drawList();
  highlight();
}

// ---- The script

let last = null; // the record that was read last, and of which entry

function record(entry) {
  if (last?.entry !== entry) last = { entry, record: parse(`trajectory-${entry.place}`) };
  return last.record;
}

function fold(title, text) {
  if (text === null) return null;
  return make("details", "fold", make("summary", "", title), make("pre", "", text));
}

const drawCounts = (counts, kinds) => kinds.map((kind) => make("span", kind, `${kind} ${number(counts[kind])}`));

function drawHead(entry, { seed, system, tools, tool_count, metadata }) {
  const [className, text] = outcome(entry);
  const unknown = entry.agent === "unknown" && entry.environment === "unknown"; // few logs tell either
  const unit = about.tokenizer ? `tokens of ${about.tokenizer}:` : `${about.unit}:`;
  return make(
    "header", "head",
    make("h2", entry.task.length > 160 ? "long" : "", entry.task || "(no task)"),
    make(
      "p", "about",
      make("span", className, text),
      entry.reward === null ? null : make("span", "", `reward ${entry.reward}`),
      make("span", "", plural(entry.steps, "step")),
      unknown ? null : make("span", "", `${entry.agent} in ${entry.environment}, seed ${seed}`),
    ),
    make("p", "about", make("span", "", unit), ...drawCounts(entry.counts, ["reason", "act", "context"])),
    make("p", "about", make("span", "id", entry.id), make("span", "id", `task ${entry.task_id}`)),
    fold("System prompt", system === null ? null : parse(`shared-${system}`)),
    fold(plural(tool_count, "tool"), tools === null ? null : parse(`shared-${tools}`)),
    fold("Metadata", metadata),
  );
}

function drawRow(kind, text) {
  const body = make("div", "text", text);
  const row = make("div", `row ${kind}`, make("span", "kind", kind), body);
  if (kind === "context" && (text.length > LONG.characters || text.split("\n").length > LONG.lines)) {
    body.classList.add("clipped");
    const button = make("button", "", `Show all ${number(text.length)} characters`);
    button.onclick = () => { body.classList.remove("clipped"); button.remove(); };
    row.append(button);
  }
  return row;
}

function drawStep(step, index) {
  const title = make("h3", "", `Step ${index + 1}`);
  title.tabIndex = -1;
  const chips = step.marks.map((mark) => make("span", "chip lost", mark));
  if (step.tokens && step.tokens.end === null) chips.push(make("span", "chip lost", "turn not ended"));
  if (step.rewritten) chips.push(make("span", "chip soft", "as the chat template writes it"));
  const tally = make("span", "tally");
  if (about.unit === "tokens") tally.append(...drawCounts(step.counts, ["reason", "act"]));
  const completion = make("div", "completion", ...step.spans.map(([kind, text]) => drawRow(kind, text)));
  if (!step.spans.length) completion.append(make("div", "row act", make("span", "kind", "act"), make("div", "text none", "(empty)")));
  if (step.tokens) {
    completion.onpointerenter = () => showTokens(completion, step);
    completion.onpointerleave = () => {
      completion.classList.toggle("bordered", allTokens());
      point(null);
    };
  }
  const section = make(
    "section", step.marks.includes("not supervised") ? "step unsupervised" : "step",
    make("header", "", title, make("span", "action", step.action ?? ""), ...chips, tally),
    step.observation ? drawRow("context", step.observation) : null,
    completion,
  );
  section.ariaLabel = `Step ${index + 1}`;
  return section;
}

function select(entry) {
  selected = entry;
  const shownRecord = record(entry);
  script.classList.toggle("mono", shownRecord.mono !== otherType);
  script.replaceChildren(drawHead(entry, shownRecord), ...shownRecord.steps.map(drawStep));
  if (shownRecord.final) {
    const header = make("header", "", make("h3", "", "End"));
    script.append(make("section", "step", header, drawRow("context", shownRecord.final)));
  }
  if (!shownRecord.steps.length) script.append(make("p", "none", "This trajectory has no steps."));
  script.scrollTop = 0;
  document.title = `${entry.id} · ${about.name}`;
  const hash = `#${encodeURIComponent(entry.id)}`;
  if (location.hash !== hash) history.replaceState(null, "", hash);
  if (allTokens()) showAllTokens();
  markSelected();
  highlight();
  point(null);
}

/** Marks the searched words in the script, where the browser can without changing it. */
function highlight() {
  if (!CSS.highlights) return;
  const ranges = [];
  const texts = document.createTreeWalker(script, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node && words.length; node = texts.nextNode()) {
    const text = node.data.toLowerCase();
    if (text.length !== node.length || !node.parentElement.closest(".text, h2, .id")) continue;
    for (const word of words) {
      for (let at = text.indexOf(word); at >= 0 && ranges.length < MAX_HIGHLIGHTS; at = text.indexOf(word, at + 1)) {
        const range = new Range();
        range.setStart(node, at);
        range.setEnd(node, at + word.length);
        ranges.push(range);
      }
    }
  }
  CSS.highlights.set("found", new Highlight(...ranges));
}

// ---- Tokens

const allTokens = () => byId("tokens").ariaPressed === "true";

/** Tokens that begin no character of their own (bytes of one character) join those before them. */
function tokenGroups(lengths) {
  const groups = [];
  lengths.forEach((length, index) => {
    const before = groups.at(-1);
    if (before && (length === 0 || before.length === 0)) {
      before.last = index;
      before.length += length;
    } else groups.push({ first: index, last: index, length });
  });
  return groups;
}

function drawToken(text, group, continued) {
  const token = make("span", continued ? "token continued" : "token");
  text.split("\n").forEach((line, index) => token.append(...(index ? [make("i", "newline", "↵"), "\n"] : []), line));
  token.querySelectorAll(".newline").forEach((sign) => { sign.ariaHidden = "true"; });
  return Object.assign(token, { group });
}

/** Cuts the rows of a completion at its tokens; one that reaches over two spans is in both rows. */
function drawTokens(completion, step) {
  const groups = tokenGroups(step.tokens.lengths);
  let place = 0, left = groups.length ? groups[0].length : 0, continued = false;
  const bodies = completion.querySelectorAll(".text");
  step.spans.forEach(([, text], index) => {
    const pieces = [];
    for (let at = 0; at < text.length;) {
      const length = place < groups.length ? Math.min(left, text.length - at) : text.length - at;
      const piece = text.slice(at, at + length);
      pieces.push(place < groups.length ? drawToken(piece, groups[place], continued) : piece);
      at += length;
      left -= length;
      continued = left > 0;
      if (!continued) left = groups[++place]?.length;
    }
    bodies[index].replaceChildren(...pieces);
  });
  if (step.tokens.end !== null) {
    const place = step.tokens.ids.length - 1;
    const end = Object.assign(make("span", "token end act", step.tokens.end), { group: { first: place, last: place } });
    bodies[bodies.length - 1].append(end);
  }
  completion.onpointerover = ({ target }) => point(completion, step, target.closest(".token")?.group);
}

function showTokens(completion, step) {
  if (!completion.onpointerover) {
    drawTokens(completion, step);
    highlight();
  }
  completion.classList.add("bordered");
}

function showAllTokens() {
  const { steps } = record(selected);
  script.querySelectorAll(".completion").forEach((completion, index) => {
    if (!steps[index].tokens) return;
    if (allTokens()) showTokens(completion, steps[index]);
    else completion.classList.remove("bordered");
  });
}

/** Says in the status line what token is under the pointer. */
function point(completion, step, group) {
  script.querySelectorAll(".pointed").forEach((token) => token.classList.remove("pointed"));
  const status = byId("status");
  if (!group) {
    status.replaceChildren(about.tokenizer ? "Point at what the agent wrote to see its tokens." : "Press ? for keys.");
    return;
  }
  const { ids, kinds } = step.tokens;
  const same = [...completion.querySelectorAll(".token")].filter((token) => token.group === group);
  same.forEach((token) => token.classList.add("pointed"));
  const text = same.flatMap((token) => [...token.childNodes].filter((node) => !node.ariaHidden)).map((node) => node.textContent);
  const kind = kinds[group.first] === "r" ? "reason" : "act";
  const [token, id] = group.first === group.last ? ["token", "id"] : ["tokens", "ids"];
  const places = group.first === group.last ? number(group.first + 1) : `${group.first + 1}–${group.last + 1}`;
  status.replaceChildren(
    make("b", kind, kind.toUpperCase()),
    make("span", "", `${token} ${places} of ${number(ids.length)}`),
    make("span", "", `${id} ${ids.slice(group.first, group.last + 1).join(", ")}`),
    make("span", "piece", JSON.stringify(text.join(""))),
    step.marks.includes("not supervised") ? make("span", "lost", "not supervised") : "",
  );
}

// ---- Moving about

/** Goes to the trajectory so many places on; from one that is not in the list, to the first. */
function move(by) {
  const place = shown.indexOf(selected);
  const next = shown[place < 0 ? 0 : Math.max(0, Math.min(shown.length - 1, place + by))];
  if (next && next !== selected) select(next);
}

function moveStep(direction) {
  const top = script.getBoundingClientRect().top;
  const { steps } = record(selected);
  const sections = [...script.querySelectorAll(".step")].filter(
    (_, index) => !words.length || (steps[index] && words.some((word) => stepText(steps[index]).includes(word))),
  );
  const distance = (section) => section.getBoundingClientRect().top - top;
  const focused = sections.indexOf(document.activeElement.closest?.(".step"));
  const next = focused >= 0 && Math.abs(distance(sections[focused])) < script.clientHeight
    ? sections[focused + direction]
    : direction > 0 ? sections.find((section) => distance(section) > 8) : sections.findLast((section) => distance(section) < 0);
  next?.scrollIntoView({ block: "start" });
  next?.querySelector("h3").focus({ preventScroll: true });
}

function toggleKind(kind) {
  const hidden = script.classList.toggle(`without-${kind}`);
  document.querySelector(`[data-kind="${kind}"]`).ariaPressed = String(!hidden);
}

function toggleTokens() {
  if (byId("tokens").hidden) return;
  byId("tokens").ariaPressed = String(!allTokens());
  showAllTokens();
}

function openList() {
  document.body.classList.remove("reading");
  list.focus();
  markSelected();
}

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  ArrowRight: () => move(1),
  ArrowLeft: () => move(-1),
  n: () => moveStep(1),
  p: () => moveStep(-1),
  c: () => toggleKind("context"),
  r: () => toggleKind("reason"),
  a: () => toggleKind("act"),
  t: toggleTokens,
  m: () => { otherType = script.classList.toggle("mono") !== record(selected).mono; },
  "/": () => { openList(); query.select(); },
  "?": () => help.showModal(),
  Escape: openList,
};

const LIST_KEYS = {
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  Home: () => move(-shown.length),
  End: () => move(shown.length),
  Enter: () => { document.body.classList.add("reading"); script.focus(); },
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
  if (event.target.closest("input, select")) {
    if (event.key === "Escape" || (event.key === "Enter" && event.target === query)) {
      event.preventDefault();
      list.focus();
    }
    return;
  }
  const action = (event.target === list && LIST_KEYS[event.key]) || KEYS[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});

function selectFromHash() {
  const id = location.hash.slice(1);
  const entry = trajectories.find((one) => encodeURIComponent(one.id) === id || one.id === id);
  if (entry) document.body.classList.add("reading");
  if (!selected || (entry && entry !== selected)) select(entry ?? trajectories[0]);
  if (id && !entry) byId("status").replaceChildren(make("span", "lost", `This page holds no trajectory ${id}.`));
}

let typing = 0;
byId("filters").addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(refresh, 120); });
byId("filters").addEventListener("reset", () => setTimeout(refresh));
byId("filters").addEventListener("submit", (event) => event.preventDefault());
list.addEventListener("click", ({ target }) => {
  const item = target.closest("[role=option]");
  if (!item) return;
  document.body.classList.add("reading");
  select(trajectories[Number(item.id.slice("item-".length))]);
});
list.addEventListener("scroll", () => {
  if (drawn < shown.length && list.scrollTop + 2 * list.clientHeight > list.scrollHeight) drawMore();
});
document.querySelectorAll("[data-kind]").forEach((button) => { button.onclick = () => toggleKind(button.dataset.kind); });
byId("previous").onclick = () => move(-1);
byId("next").onclick = () => move(1);
byId("tokens").onclick = toggleTokens;
byId("tokens").hidden = about.unit !== "tokens";
byId("back").onclick = openList;
byId("keys").onclick = () => help.showModal();
byId("theme").onclick = ({ target }) => {
  const next = { Auto: "Light", Light: "Dark", Dark: "Auto" }[target.dataset.theme];
  target.dataset.theme = next;
  target.textContent = `◐ ${next}`;
  document.documentElement.style.colorScheme = next === "Auto" ? "" : next.toLowerCase();
};
addEventListener("hashchange", selectFromHash);
drawList();
selectFromHash();
