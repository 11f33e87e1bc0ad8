// What stays when the page is closed or the server starts anew: invocations, and what was written in the editor.

const MOST = 200;
const KEPT = 100;
/** Letters of an event or a result that are kept, and of all invocations together. */
const LONGEST = 32 * 1024;
const LARGEST = 2 * 1024 * 1024;
const PAUSE = 500;

function read(key, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(key)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

function write(key, value) {
  try {
    localStorage.setItem(key, value);
    return true;
  } catch {
    // It is full, or the browser keeps nothing.
    return false;
  }
}

const cut = (value) =>
  value?.text?.length > LONGEST ? { ...value, text: value.text.slice(0, LONGEST), cut: true } : value;

/** The invocations that are known, the latest first. */
export class History {
  #key;
  #timer = 0;

  constructor(folder) {
    this.#key = `trine history ${folder}`;
    const kept = folder ? read(this.#key, []) : [];
    this.entries = Array.isArray(kept) ? kept.filter((entry) => entry && typeof entry.id === "string") : [];
  }

  find(id) {
    return this.entries.find((entry) => entry.id === id);
  }

  /** Adds an invocation, or what has become known of one. Returns it. */
  put(told) {
    const known = this.find(told.id);
    const entry = known ?? {};
    for (const [name, value] of Object.entries(told)) {
      const isWhole = (name === "result" || name === "event") && known?.[name] && known[name].cut === false && value?.cut !== false;
      if (!isWhole && (value !== null || entry[name] === undefined)) {
        entry[name] = value;
      }
    }
    if (!known) {
      const at = this.entries.findIndex((other) => other.started <= entry.started);
      this.entries.splice(at < 0 ? this.entries.length : at, 0, entry);
      this.entries.length = Math.min(this.entries.length, MOST);
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.keep(), PAUSE);
    return entry;
  }

  clear() {
    this.entries = [];
    this.keep();
  }

  keep() {
    const kept = [];
    let letters = 0;
    for (const entry of this.entries.slice(0, KEPT)) {
      if (entry.ms === undefined) {
        continue;
      }
      const { response, ...rest } = entry;
      const text = JSON.stringify({ ...rest, event: cut(entry.event), result: cut(entry.result), logs: entry.logs?.slice(0, 100) });
      letters += text.length;
      if (letters > LARGEST) {
        break;
      }
      kept.push(text);
    }
    while (!write(this.#key, `[${kept.join(",")}]`) && kept.length > 0) {
      kept.length = Math.floor(kept.length / 2);
    }
  }
}

/** What was written in the editor, by name. */
export class Notes {
  #key;
  #all;

  constructor(folder) {
    this.#key = `trine notes ${folder}`;
    this.#all = folder ? read(this.#key, {}) : {};
  }

  get(name) {
    return this.#all[name];
  }

  set(name, value) {
    this.#all[name] = value;
    write(this.#key, JSON.stringify(this.#all));
  }
}
