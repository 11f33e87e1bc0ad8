// The console's page: functions, an editor for events and requests, what became of them, and all that happens meanwhile.

import { cause, clock, duration, make, outcome, problem, show, size } from "./detail.js";
import { check, pretty } from "./json.js";
import { fill, walked } from "./list.js";
import { follow, get, invoke } from "./server.js";
import { copy, curlOfEvent, curlOfRequest, requestOf, save, testOf } from "./share.js";
import { History, Notes } from "./store.js";

const $ = (id) => document.getElementById(id);
const LARGEST_BODY = 2 * 1024 * 1024;

let functions = [];
let folder = "";
let generation = null;
let current = null;
let shown = null;
let history = new History("");
let notes = new Notes("");

/* Words for people. */

let toastTimer = 0;
function toast(text, stays = 4000) {
  $("toast").textContent = text;
  $("toast").hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => ($("toast").hidden = true), stays);
}

async function copied(text, what) {
  toast((await copy(text)) ? `Copied ${what}` : "The browser does not let this page copy: select the text by hand");
}

/* Functions. */

const TONES = { ready: "good", failed: "bad" };

function listFunctions() {
  const wanted = $("filter").value.trim().toLowerCase();
  const matches = ({ name, file, engine }) => `${name} ${file} ${engine.name}`.toLowerCase().includes(wanted);
  const items = functions.filter(matches).map((one) =>
    make(
      "button",
      {
        class: "item",
        "data-key": one.name,
        "aria-current": one.name === current?.name ? "true" : "false",
        onclick: () => choose(one.name),
      },
      make("span", { class: `dot ${TONES[one.health] ?? ""}`, role: "img", "aria-label": one.health, title: one.health }),
      make("span", { class: "name", text: one.name }),
      make("span", { class: "badge", text: one.engine.id }),
      make("span", { class: "under", text: one.health === "failed" ? (one.problem?.type ?? "failed") : one.file }),
    ),
  );
  fill($("functions"), items, functions.length > 0 ? "No function matches." : "No functions.");
  $("function-count").textContent = functions.length || "";
}

async function loadFunctions() {
  const all = await get("functions");
  functions = all.functions;
  if (all.folder !== folder) {
    folder = all.folder;
    history = new History(folder);
    notes = new Notes(folder);
    listHistory();
  }
  $("folder").textContent = folder;
  document.title = `${folder.split("/").at(-1)} · Trine console`;
  const name = current?.name ?? notes.get("current");
  const same = functions.find((one) => one.name === name) ?? functions[0];
  if (same && same.name !== current?.name) {
    choose(same.name);
  } else {
    current = same ?? null;
    describe();
  }
  listFunctions();
}

let reloading = 0;
function loadFunctionsSoon() {
  clearTimeout(reloading);
  reloading = setTimeout(() => loadFunctions().catch(() => {}), 250);
}

function choose(name) {
  keepNotes();
  current = functions.find((one) => one.name === name) ?? null;
  notes.set("current", name);
  const kept = notes.get(`of ${name}`) ?? {};
  const route = current?.routes[0];
  $("event-text").value = kept.event ?? "{}";
  $("method").value = kept.method ?? (route && route.method !== "ANY" ? route.method : "GET");
  $("path").value = kept.path ?? route?.path ?? "/";
  $("headers").value = kept.headers ?? "";
  $("body").value = kept.body ?? "";
  openTab(kept.tab ?? "event");
  $("routes").replaceChildren(...(current?.routes ?? []).map(({ path }) => make("option", { value: path })));
  describe();
  checkEvent();
  listFunctions();
  listSamples();
  if ($("only-this").checked) {
    listHistory();
  }
}

function keepNotes() {
  if (current) {
    notes.set(`of ${current.name}`, {
      event: $("event-text").value,
      method: $("method").value,
      path: $("path").value,
      headers: $("headers").value,
      body: $("body").value,
      tab: $("tab-http").getAttribute("aria-selected") === "true" ? "http" : "event",
    });
  }
}

/** Shows what is known of the function. */
function describe() {
  const about = $("about");
  $("function-name").textContent = current?.name ?? "No function";
  $("invoke").disabled = current === null;
  $("function-health").hidden = current === null;
  if (current === null) {
    about.replaceChildren();
    return;
  }
  $("function-health").textContent = current.health;
  $("function-health").className = `chip ${TONES[current.health] ?? ""}`;
  const { engine, file, handler, routes, format, middlewares, limits } = current;
  const pair = (label, text) => make("span", {}, `${label} `, make("code", { text }));
  const parts = [
    pair("file", file),
    pair("handler", handler),
    make("span", { text: engine.version ? `${engine.name}, ${engine.version}` : engine.name }),
    pair("events", format),
    pair("routes", routes.map(({ method, path }) => `${method} ${path}`).join(", ") || "none"),
    limits.timeoutMs ? pair("time limit", duration(limits.timeoutMs)) : null,
    limits.memory ? pair("memory", size(limits.memory)) : null,
    current.asksForTokens ? make("span", { text: "asks clients for tokens" }) : null,
  ];
  if (middlewares.length > 0) {
    const items = middlewares.map(({ name, engine: of, file: path, hooks }, index) =>
      make(
        "li",
        { title: path },
        make("span", {}, `${index + 1} `, make("b", { text: name }), ` ${of}${hooks?.length > 0 ? ` · ${hooks.join(", ")}` : ""}`),
      ),
    );
    items.push(make("li", {}, make("span", {}, make("b", { text: "handler" }))));
    const label = `Middlewares, ${current.order} order`;
    parts.push(make("ol", { class: "chain", "aria-label": label, title: label }, ...items));
  }
  if (current.problem) {
    parts.push(problem(current.problem));
  }
  about.replaceChildren(...parts.filter((part) => part !== null));
}

/* The editor. */

function openTab(name) {
  for (const one of ["event", "http"]) {
    const isOpen = one === name;
    $(`tab-${one}`).setAttribute("aria-selected", String(isOpen));
    $(`tab-${one}`).tabIndex = isOpen ? 0 : -1;
    $(`panel-${one}`).hidden = !isOpen;
  }
  $("invoke").textContent = name === "event" ? "Invoke" : "Send";
}

const openedTab = () => ($("panel-event").hidden ? "http" : "event");

function checkEvent() {
  const fault = check($("event-text").value);
  const said = $("event-check");
  $("event-text").setAttribute("aria-invalid", String(fault !== null));
  said.className = fault ? "check bad" : "check";
  said.textContent = fault ? `Line ${fault.line}, column ${fault.column}: ${fault.message}` : "";
  return fault;
}

let samples = [];
function listSamples() {
  const recent = history.entries
    .filter((entry) => entry.function === current?.name && entry.event?.kind === "json" && !entry.event.cut)
    .slice(0, 10);
  const group = (label, options) => make("optgroup", { label }, ...options);
  const of = (entry) => `${clock(entry)} ${outcome(entry)[0]} ${entry.event.text.slice(0, 40)}`;
  $("samples").replaceChildren(
    make("option", { value: "", text: "a sample event…" }),
    ...(recent.length > 0
      ? [group("Recent events", recent.map((entry) => make("option", { value: `recent ${entry.id}`, text: of(entry) })))]
      : []),
    group("Samples", samples.map(({ name, about }) => make("option", { value: `sample ${name}`, text: `${name}: ${about}` }))),
  );
}

$("samples").addEventListener("change", async ({ target }) => {
  const [kind, name] = target.value.split(/ (.*)/s);
  target.value = "";
  try {
    if (kind === "sample") {
      const event = await get(`samples/${encodeURIComponent(name)}`);
      $("event-text").value = JSON.stringify(event, null, 2);
    } else if (kind === "recent") {
      $("event-text").value = pretty(history.find(name)?.event.text ?? "{}");
    }
    checkEvent();
    keepNotes();
  } catch (error) {
    toast(error.message);
  }
});

function headersOf(text) {
  const lines = text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  return lines.map((line) => {
    const [name, value] = line.split(/:(.*)/s);
    return [name.trim(), (value ?? "").trim()];
  });
}

const requestWritten = () => ({
  method: $("method").value,
  path: $("path").value.startsWith("/") ? $("path").value : `/${$("path").value}`,
  headers: headersOf($("headers").value),
  body: $("body").value,
});

/* Invocations. */

const newId = () =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

async function send() {
  if (current === null) {
    return;
  }
  keepNotes();
  if (openedTab() === "http") {
    await sendRequest(requestWritten());
    return;
  }
  const fault = checkEvent();
  if (fault) {
    $("event-text").focus();
    $("event-text").setSelectionRange(fault.at, Math.min(fault.at + 1, $("event-text").value.length));
    announce($("event-check").textContent);
    return;
  }
  await sendEvent(current.name, $("event-text").value);
}

async function sendEvent(name, text) {
  const id = newId();
  const event = { kind: "json", text, cut: false };
  begin({ id, function: name, trigger: "console", started: Date.now(), event, generation });
  try {
    take(await invoke(name, text, id));
  } catch (error) {
    take({ id, refused: error.message, ms: null, ok: false });
  }
}

async function sendRequest(request) {
  const { method, path, headers, body } = request;
  const id = newId();
  begin({ id, function: current.name, method, path, started: Date.now(), generation });
  try {
    const bodiless = method === "GET" || method === "HEAD";
    const response = await fetch(path, {
      method,
      headers: [...headers, ["x-request-id", id]],
      body: bodiless || body === "" ? undefined : body,
      cache: "no-store",
    });
    const text = await response.text();
    const known = { status: response.status, headers: [...response.headers], text: text.slice(0, LARGEST_BODY) };
    // What the server tells of it comes by the stream; what never reached a function is known by its response alone.
    const before = history.find(id);
    const rest = before?.ms === undefined ? { ms: Date.now() - before.started, ok: response.status < 500, status: response.status } : {};
    take({ id, response: known, ...rest });
  } catch (error) {
    take({ id, refused: `the request could not be sent: ${error.message}`, ms: null, ok: false });
  }
}

function begin(entry) {
  history.put(entry);
  listHistory();
  select(entry.id, false);
}

/** Takes what has become known of an invocation. */
function take(told) {
  const entry = history.put(told);
  listHistory();
  if (shown === entry.id) {
    showEntry(entry);
    announce(`${entry.function ?? ""} ${outcome(entry)[0]}, ${duration(entry.ms)}`);
  }
}

function announce(text) {
  $("announce").textContent = text;
}

function select(id, focuses = true) {
  shown = id;
  const entry = history.find(id);
  if (entry) {
    showEntry(entry);
    listHistory();
    if (focuses) {
      $("detail").scrollTop = 0;
      if (matchMedia("(max-width: 1080px)").matches) {
        $("detail-title").scrollIntoView({ block: "start" });
      }
    }
  }
}

function showEntry(entry) {
  const opened = [...$("detail").querySelectorAll("details[open] > summary")].map((summary) => summary.textContent);
  $("detail").replaceChildren(...show(entry));
  for (const details of $("detail").querySelectorAll("details")) {
    details.open = opened.includes(details.firstChild.textContent);
  }
  const canRepeat = entry.event?.kind === "json" && !entry.event.cut;
  const isKnown = functions.some((one) => one.name === entry.function);
  $("detail-actions").hidden = false;
  $("replay").disabled = !(canRepeat && isKnown);
  $("edit").disabled = !(canRepeat && isKnown);
  $("detail-curl").disabled = !canRepeat;
  $("as-test").disabled = !(canRepeat && entry.ms !== undefined && !entry.refused);
}

let listing = 0;
function listHistory() {
  // What comes in bursts is drawn once.
  listing ||= requestAnimationFrame(listHistoryNow);
}

function listHistoryNow() {
  listing = 0;
  // Not while somebody chooses.
  if (document.activeElement !== $("samples")) {
    listSamples();
  }
  const isWanted = (entry) =>
    (!$("only-this").checked || entry.function === current?.name) && (!$("only-failed").checked || outcome(entry)[1] === "bad");
  const entries = history.entries.filter(isWanted);
  const items = entries.map((entry) => {
    const [word, tone] = outcome(entry);
    return make(
      "button",
      {
        class: "item",
        "data-key": entry.id,
        "aria-current": entry.id === shown ? "true" : "false",
        onclick: () => select(entry.id),
      },
      make("span", { class: `dot ${tone}`, role: "img", "aria-label": word, title: word }),
      make("span", { class: "time", text: clock(entry) }),
      make("span", { class: "name", text: entry.function ?? "–" }),
      make("span", { class: "what", text: `${cause(entry)}${entry.cold ? " · cold" : ""}${entry.problem ? ` · ${entry.problem.type}` : ""}` }),
      make("span", { class: "side", text: entry.refused ? "refused" : duration(entry.ms) }),
    );
  });
  fill($("history"), items, history.entries.length > 0 ? "None of these." : "Whatever the server is asked shows here.");
  $("history-count").textContent = history.entries.length || "";
}

function entryShown() {
  return history.find(shown);
}

$("replay").addEventListener("click", () => {
  const entry = entryShown();
  sendEvent(entry.function, entry.event.text);
});

$("edit").addEventListener("click", () => {
  const entry = entryShown();
  if (current?.name !== entry.function) {
    choose(entry.function);
  }
  openTab("event");
  $("event-text").value = pretty(entry.event.text);
  checkEvent();
  keepNotes();
  $("event-text").focus();
});

$("detail-curl").addEventListener("click", () => {
  const entry = entryShown();
  const request = requestOf(entry);
  copied(request ? curlOfRequest(request) : curlOfEvent(entry.function, entry.event.text), "a command for curl");
});

$("copy-curl").addEventListener("click", () => {
  if (current) {
    const isRequest = openedTab() === "http";
    copied(isRequest ? curlOfRequest(requestWritten()) : curlOfEvent(current.name, $("event-text").value), "a command for curl");
  }
});

/* Tests. */

function fillTest() {
  const { event, expected } = testOf(entryShown(), $("test-name").value.replace(/[^A-Za-z0-9_.-]/g, "-") || "event");
  const none = { name: "nothing to expect", text: "" };
  for (const [id, file] of [["test-event", event], ["test-expected", expected ?? none]]) {
    $(`${id}-name`).textContent = file.name;
    $(id).value = file.text;
    $(`${id}-copy`).disabled = $(`${id}-save`).disabled = file === none;
  }
}

$("as-test").addEventListener("click", () => {
  $("test-name").value = (entryShown().function ?? "event").replace(/[^A-Za-z0-9_.-]/g, "-");
  fillTest();
  $("test-dialog").showModal();
});
$("test-name").addEventListener("input", fillTest);
for (const id of ["test-event", "test-expected"]) {
  $(`${id}-copy`).addEventListener("click", () => copied($(id).value, $(`${id}-name`).textContent));
  $(`${id}-save`).addEventListener("click", () => save($(`${id}-name`).textContent, $(id).value));
}

/* Keys and forms. */

walked($("functions"));
walked($("history"));
$("invoke").addEventListener("click", send);
$("format").addEventListener("click", () => {
  $("event-text").value = pretty($("event-text").value);
  checkEvent();
});
$("event-text").addEventListener("input", checkEvent);
for (const id of ["event-text", "method", "path", "headers", "body"]) {
  $(id).addEventListener("change", keepNotes);
}
$("filter").addEventListener("input", listFunctions);
$("filter").addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown" || event.key === "Enter") {
    event.preventDefault();
    $("functions").querySelector("button.item")?.focus();
  } else if (event.key === "Escape") {
    $("filter").value = "";
    listFunctions();
  }
});
for (const id of ["only-this", "only-failed"]) {
  $(id).addEventListener("change", listHistory);
}
$("clear").addEventListener("click", () => {
  history.clear();
  shown = null;
  $("detail").replaceChildren(make("p", { class: "note", text: "Choose an invocation, or invoke a function." }));
  $("detail-actions").hidden = true;
  listHistory();
});
for (const [name, other] of [["event", "http"], ["http", "event"]]) {
  $(`tab-${name}`).addEventListener("click", () => {
    openTab(name);
    keepNotes();
  });
  $(`tab-${name}`).addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      openTab(other);
      keepNotes();
      $(`tab-${other}`).focus();
    }
  });
}
document.addEventListener("keydown", (event) => {
  const isText = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement?.tagName ?? "");
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !$("test-dialog").open) {
    event.preventDefault();
    send();
  } else if (event.key === "/" && !isText && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    $("filter").focus();
    $("filter").select();
  }
});
addEventListener("pagehide", () => {
  keepNotes();
  history.keep();
});

/* What the server tells. */

function showMetrics({ requests, errors, inFlight, p50, p99, heap, interpreters }) {
  const pairs = [
    ["invocations", requests],
    ["failed", errors],
    ["in flight", inFlight],
    ["p50", duration(p50)],
    ["p99", duration(p99)],
    ["heap", size(heap)],
    ["interpreters", interpreters],
  ];
  $("metrics").replaceChildren(...pairs.map(([name, text]) => make("div", {}, make("dt", { text: name }), make("dd", { text }))));
}

const STATES = {
  live: ["live", "good"],
  waiting: ["reconnecting", "warn"],
  refused: ["refused", "bad"],
};

follow({
  state(name, why) {
    [$("connection").textContent, $("connection").className] = [STATES[name][0], `chip ${STATES[name][1]}`];
    if (name === "refused") {
      // Another process with another token: its page has that. Once only, should that not help.
      const last = Number(sessionStorage.getItem("trine reloaded") ?? 0);
      if (Date.now() - last > 10000) {
        sessionStorage.setItem("trine reloaded", String(Date.now()));
        location.reload();
      } else {
        toast(why, 60000);
      }
    }
  },
  hello(told) {
    const isNew = generation !== null && told.generation !== generation;
    generation = told.generation;
    $("generation").hidden = !told.isDevelopment && generation === 0;
    $("generation").textContent = generation === 0 ? "no reload yet" : `reload ${generation}`;
    if (isNew) {
      toast("Reloaded: the functions are new, what was invoked before is still here");
    }
    loadFunctions().catch((error) => toast(error.message));
  },
  begun(told) {
    if (!history.find(told.id)) {
      history.put({ ...told, generation });
      listHistory();
    }
  },
  invocation(told) {
    const known = functions.find((one) => one.name === told.function);
    if (known && known.health !== "ready") {
      loadFunctionsSoon();
    } else if (told.problem && told.cold !== true) {
      loadFunctionsSoon();
    }
    const before = history.find(told.id);
    take(before ? told : { ...told, generation });
  },
  log(line) {
    // What is written after the answer.
    const entry = line.id ? history.find(line.id) : null;
    if (entry && entry.ms !== undefined && entry.logs && !entry.logs.some((one) => one.time === line.time && one.text === line.text)) {
      entry.logs.push(line);
      if (shown === entry.id) {
        showEntry(entry);
      }
    }
  },
  metrics: showMetrics,
});

$("detail").replaceChildren(make("p", { class: "note", text: "Choose an invocation, or invoke a function." }));
get("samples").then((told) => {
  samples = told.samples;
  listSamples();
}).catch(() => {});
