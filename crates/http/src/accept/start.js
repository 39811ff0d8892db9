// The token stands behind the # of the address. It goes to this service alone, in the body of a request.
const { texts } = await import(new URL(document.querySelector("script[data-texts]").dataset.texts, document.baseURI));
const token = window.location.hash.slice(1);
const element = (id) => document.getElementById(id);
const spoken = navigator.languages.map((language) => language.slice(0, 2)).find((language) => texts[language]);
let language = spoken ?? "en";
let t = texts[language];

const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");

const post = async (path, body, headers = {}) => {
  const request = { method: "POST", headers: { "Content-Type": "application/json", ...headers }, body: JSON.stringify(body) };
  const answer = await fetch(path, { ...request, credentials: "omit", cache: "no-store", referrerPolicy: "no-referrer" });
  return { status: answer.status, body: await answer.json().catch(() => ({})) };
};

/** Names are text, and never markup. */
const show = (title, lead, note = "") => {
  document.documentElement.lang = language;
  document.title = title;
  element("title").textContent = title;
  element("lead").textContent = lead;
  element("note").textContent = note;
  element("facts").hidden = true;
  element("how").hidden = true;
  element("card").setAttribute("aria-busy", "false");
};

const fact = (name, value) => {
  const row = document.createElement("div");
  const [term, description] = [document.createElement("dt"), document.createElement("dd")];
  term.textContent = name;
  if (Array.isArray(value)) {
    const list = document.createElement("ul");
    list.append(...value.map((item) => Object.assign(document.createElement("li"), { textContent: item })));
    description.append(list);
  } else {
    description.textContent = value;
  }
  row.append(term, description);
  return row;
};

const offer = ({ tenantName, brandName, offer }) => {
  const by = brandName === tenantName ? "" : brandName;
  const who = [offer.invitedBy, by].filter(Boolean).join(" · ");
  const until = new Intl.DateTimeFormat(language, { dateStyle: "long", timeStyle: "short" }).format(new Date(offer.expiresAt));
  show(filled(t.title, { tenant: tenantName }), "", t.unexpected);
  const facts = [who && fact(t.invitedBy, who), fact(t.for, offer.emailHint), fact(t.role, t.roles[offer.role] ?? offer.role)];
  if (offer.workspaceNames.length > 0) facts.push(fact(t.workspaces, offer.workspaceNames));
  facts.push(fact(t.until, until));
  element("facts").replaceChildren(...facts.filter(Boolean));
  element("how-title").textContent = t.howTitle;
  // No line ends within the address.
  element("how-text").textContent = filled(t.how, { email: offer.emailHint.replace("…", "…\u2060") });
  element("access-label").textContent = t.accessToken;
  element("accept").textContent = t.accept;
  element("facts").hidden = false;
  element("how").hidden = false;
};

const load = async () => {
  if (!token) return show(t.noneTitle, t.none);
  const { status, body } = await post("api/invitations/preview", { token }).catch(() => ({ status: 0, body: {} }));
  // A link that was cut off is no link of ours either.
  if (status === 404 || status === 422 || status === 400) return show(t.unknownTitle, t.unknown);
  if (status !== 200) return show(t.laterTitle, t.later);
  // People are written to in this language, and read the page in it too.
  language = texts[body.language] ? body.language : "en";
  t = texts[language];
  if (/^#[0-9a-f]{6}$/i.test(body.brandColor ?? "")) element("brand").style.background = body.brandColor;
  if (body.state === "pending") return offer(body);
  const [title, text] = t.states[body.state] ?? [t.unknownTitle, t.unknown];
  show(filled(title, { tenant: body.tenantName }), filled(text, { tenant: body.tenantName }));
};

const problem = (text) => {
  element("problem").textContent = text;
  element("problem").hidden = !text;
  element("access").setAttribute("aria-invalid", text ? "true" : "false");
};

element("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  problem("");
  element("accept").disabled = true;
  // People paste what they have, with the word before it or with a line break behind it.
  const access = element("access").value.trim().replace(/^bearer\s+/i, "");
  const sent = /^[\x21-\x7e]+$/.test(access)
    ? await post("api/invitations/accept", { token }, { Authorization: `Bearer ${access}` }).catch(() => ({ status: 0 }))
    : { status: 401 };
  element("accept").disabled = false;
  if (sent.status === 201) {
    element("access").value = "";
    window.history.replaceState(null, "", window.location.pathname);
    return show(t.doneTitle, t.done);
  }
  if (sent.status === 401) return problem(t.badToken);
  if (sent.status === 403) return problem(t.otherAddress);
  if (sent.status === 409 && sent.body.code === "already_member") return problem(t.alreadyMember);
  if (sent.status === 409 || sent.status === 404) return load();
  problem(t.later);
});

window.addEventListener("hashchange", () => window.location.reload());
await load();
