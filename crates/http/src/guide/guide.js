// Three things that the pages cannot do alone: fill samples with what the reader types, copy samples, and search. Nothing that is typed
// leaves the page.
const element = (id) => document.getElementById(id);
const made = (tag, properties, ...children) => {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
};

// --- Samples

const fill = (field, value) => {
  for (const place of document.querySelectorAll(`[data-fill="${field}"]`)) {
    place.dataset.variable ??= place.textContent;
    place.textContent = value || place.dataset.variable;
    place.classList.toggle("filled", Boolean(value));
  }
};

/** The address as samples take it; empty if it is none, or if it would mean something else to a shell. */
const address = (raw) => {
  const url = URL.canParse(raw) ? new URL(raw) : undefined;
  if (!["http:", "https:"].includes(url?.protocol) || url.search || url.hash || url.username) return "";
  const plain = `${url.origin}${url.pathname}`.replace(/\/+$/, "");
  return /^[\w.~:/%[\]-]+$/.test(plain) ? plain : "";
};

// People paste what they have, with the word before it or with a line break behind it.
const credential = (raw) => {
  const plain = raw.trim().replace(/^bearer\s+/i, "");
  return /^[\w.~+/=-]+$/.test(plain) ? plain : "";
};

const reader = element("reader");
if (reader) {
  const [url, key, problem] = [element("reader-url"), element("reader-key"), element("reader-problem")];
  const show = () => {
    const [to, by] = [address(url.value.trim()), credential(key.value)];
    fill("url", to);
    fill("key", by);
    const wrong = [
      [url, !to, "The address must be such as https://tenantry.example.com."],
      [key, key.value.trim() && !by, "This is not an API key and not an access token."],
    ];
    for (const [input, isWrong] of wrong) input.setAttribute("aria-invalid", isWrong ? "true" : "false");
    const sentence = wrong.find(([, isWrong]) => isWrong)?.[2] ?? "";
    problem.textContent = sentence;
    problem.hidden = !sentence;
  };
  // These pages are one step below the address of the service, wherever a proxy publishes it.
  url.value = new URL("..", document.baseURI).href.replace(/\/$/, "");
  reader.addEventListener("input", show);
  reader.addEventListener("submit", (event) => event.preventDefault());
  reader.hidden = false;
  show();
}

// Browsers offer the clipboard only where nobody can listen.
if (navigator.clipboard) {
  for (const sample of document.querySelectorAll('.sample:not([data-language="http"])')) {
    const button = made("button", { type: "button", className: "copy", textContent: "Copy" });
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(sample.querySelector("code").textContent);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
    sample.append(button);
  }
}

// --- Search

const [input, list] = [element("search"), element("found")];
const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
let index;

const load = async () => {
  index ??= fetch(new URL(document.querySelector("script[data-index]").dataset.index, document.baseURI))
    .then((answer) => answer.json())
    .then((entries) => entries.map((entry) => ({
      ...entry, title: plain(entry.heading), of: plain(entry.page), body: plain(entry.text),
    })));
  return index;
};

/** What is called like the words comes before what only says them. */
const rank = (entry, words, whole) => {
  let points = entry.title === whole ? 40 : 0;
  for (const word of words) {
    const at = entry.title.indexOf(word);
    if (at >= 0) points += at === 0 || /\W/.test(entry.title[at - 1]) ? 12 : 6;
    else if (entry.of.includes(word)) points += 4;
    else if (entry.body.includes(word)) points += 1;
    else return 0;
  }
  return points;
};

/** The text around the first of the words, with all of them marked. */
const excerpt = (text, words) => {
  const at = Math.max(0, Math.min(...words.map((word) => plain(text).indexOf(word)).filter((one) => one >= 0), text.length) - 40);
  const start = at === 0 ? 0 : text.indexOf(" ", at) + 1;
  const part = text.slice(start, start + 140);
  const pattern = new RegExp(words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|"), "giu");
  const pieces = [start > 0 ? "… " : ""];
  let last = 0;
  for (const match of part.matchAll(pattern)) {
    pieces.push(part.slice(last, match.index), made("mark", { textContent: match[0] }));
    last = match.index + match[0].length;
  }
  return [...pieces, part.slice(last)];
};

const close = () => {
  list.hidden = true;
  input.setAttribute("aria-expanded", "false");
  input.removeAttribute("aria-activedescendant");
};

const choose = (option) => {
  for (const other of list.querySelectorAll("[role=option]")) other.setAttribute("aria-selected", String(other === option));
  if (!option) return input.removeAttribute("aria-activedescendant");
  input.setAttribute("aria-activedescendant", option.id);
  option.scrollIntoView({ block: "nearest" });
};

const search = async () => {
  const whole = plain(input.value.trim());
  const words = whole.split(/\s+/).filter(Boolean);
  if (words.length === 0) return close();
  const entries = await load();
  // Something else may have been typed meanwhile.
  if (plain(input.value.trim()) !== whole) return;
  const ranked = entries.map((entry) => [rank(entry, words, whole), entry]).filter(([points]) => points > 0);
  const best = ranked.sort(([a], [b]) => b - a).slice(0, 12).map(([, entry]) => entry);
  list.replaceChildren(...best.map((entry, number) => {
    const title = made("b", { textContent: entry.heading });
    const where = made("span", { textContent: entry.page === entry.heading ? "" : entry.page });
    const option = made("a", { href: entry.at, id: `found-${number}`, tabIndex: -1 }, title, " ", where, made("p", {}, ...excerpt(entry.text, words)));
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    return option;
  }));
  if (best.length === 0) {
    const none = made("p", { className: "none", textContent: `Nothing found for “${input.value.trim()}”.` });
    none.setAttribute("role", "option");
    none.setAttribute("aria-disabled", "true");
    list.append(none);
  }
  list.hidden = false;
  input.setAttribute("aria-expanded", "true");
};

input.closest(".search").hidden = false;
input.addEventListener("focus", () => load().catch(() => { index = undefined; }));
input.addEventListener("input", search);
input.addEventListener("keydown", (event) => {
  const options = [...list.querySelectorAll("a")];
  const at = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
  if (event.key === "Escape") {
    input.value = "";
    close();
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    choose(options.at((at + (event.key === "ArrowDown" ? 1 : at < 0 ? 0 : -1)) % options.length));
  } else if (event.key === "Enter" && !list.hidden) {
    (options[at] ?? options[0])?.click();
  }
});
document.addEventListener("click", (event) => {
  if (!event.target.closest(".search") || event.target.closest("#found a")) close();
});
document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest("input, textarea, [contenteditable]");
  if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    input.focus();
  }
});
