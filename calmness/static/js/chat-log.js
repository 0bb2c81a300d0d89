// Draws a conversation into its log. Nodes are made of text only; links are found in the text and made of nodes too.
const LINK = /\b(?:https?:\/\/|mailto:)[^\s<>"'«»]+[^\s<>"'«».,;:!?)\]]/gu;
const NEAR_BOTTOM = 80;

export class Log {
  #shown = new Map();
  #days = new Set();
  #taken = false;

  constructor(element, { words, side, me = null, latest = null }) {
    this.element = element;
    this.words = words;
    this.side = side;
    this.me = me;
    this.latest = latest;
    const language = document.documentElement.lang;
    const time = new Intl.DateTimeFormat(language, { hour: "numeric", minute: "2-digit" });
    // French writes 19 h 00, as the rest of the site does; no pattern of Intl does.
    this.time = (at) => (language === "fr" ? `${at.getHours()}\u00a0h\u00a0${String(at.getMinutes()).padStart(2, "0")}` : time.format(at));
    this.day = new Intl.DateTimeFormat(language, { weekday: "long", day: "numeric", month: "long" });
    latest?.addEventListener("click", () => this.toBottom());
    this.follows = true;
    element.addEventListener("scroll", () => {
      this.follows = this.#atBottom();
      if (this.follows && latest) latest.hidden = true;
    });
    // A form that appears below, or a phone's keyboard, takes room: who stood at the end stays there.
    new ResizeObserver(() => this.follows && this.toBottom()).observe(element);
  }

  draw(conversation) {
    const stick = this.follows;
    // What the server wrote stays until the same comes by the connection: without one it is all there is to read.
    const first = !this.#taken && conversation.room !== null;
    if (first) {
      this.#taken = true;
      this.element.replaceChildren();
    }
    // A whole history must not be read out: only what comes later is announced.
    if (first) this.element.setAttribute("aria-live", "off");
    let foreign = false;
    let previous = null;
    for (const message of conversation.messages) {
      const known = this.#shown.get(this.#key(message));
      const node = known ?? this.#bubble(message);
      if (!known) {
        this.#shown.set(this.#key(message), node);
        foreign ||= !first && !this.#mine(message);
      }
      this.#state(node, message, conversation);
      this.#place(node, message, previous);
      previous = node;
    }
    for (const item of conversation.pending) {
      const key = `own:${item.client_id}`;
      const node = this.#shown.get(key) ?? this.#bubble({ ...item, sent_at: item.at, waiting: true });
      this.#shown.set(key, node);
      this.#pending(node, item, conversation);
      this.element.append(node);
    }
    this.#forget(conversation);
    if (first) requestAnimationFrame(() => this.element.setAttribute("aria-live", "polite"));
    if (stick || first) this.toBottom();
    else if (foreign && this.latest) this.latest.hidden = false;
  }

  toBottom() {
    this.element.scrollTop = this.element.scrollHeight;
    if (this.latest) this.latest.hidden = true;
  }

  #atBottom() {
    return this.element.scrollHeight - this.element.scrollTop - this.element.clientHeight < NEAR_BOTTOM;
  }

  // An own message keeps its node from "sending" to "read"; a foreign one goes by its number.
  #key(message) {
    return this.#mine(message) ? `own:${message.client_id}` : `seq:${message.seq}`;
  }

  #mine(message) {
    if (message.own || message.waiting) return true;
    return this.side === "owner" ? message.kind !== "agent" : message.kind === "agent";
  }

  #bubble(message) {
    const node = document.createElement("div");
    const mine = this.#mine(message);
    node.className = mine ? "bubble bubble--mine" : "bubble";
    const author = document.createElement("span");
    const elsewhere = this.side === "staff" && mine && message.agent_id && message.agent_id !== this.me;
    const name = mine && !elsewhere ? this.words.you : message.name || this.words.them;
    author.className = mine && !elsewhere ? "visually-hidden" : "bubble__author";
    author.textContent = name;
    const body = document.createElement("p");
    body.className = "bubble__body";
    body.dir = "auto";
    body.append(...linked(message.body));
    const foot = document.createElement("span");
    foot.className = "bubble__foot";
    const time = document.createElement("time");
    time.dateTime = message.sent_at;
    time.textContent = this.time(new Date(message.sent_at));
    const state = document.createElement("span");
    state.dataset.state = "";
    foot.append(time, " ", state);
    node.append(author, body, foot);
    return node;
  }

  #place(node, message, previous) {
    const day = message.sent_at.slice(0, 10) && new Date(message.sent_at).toDateString();
    let after = previous;
    if (!this.#days.has(day)) {
      this.#days.add(day);
      const rule = document.createElement("p");
      rule.className = "chat-day";
      rule.textContent = this.day.format(new Date(message.sent_at));
      if (after) after.after(rule);
      else this.element.prepend(rule);
      after = rule;
    } else if (!after) {
      const rule = this.element.firstElementChild;
      after = rule?.classList.contains("chat-day") ? rule : null;
    }
    const wanted = after ? after.nextElementSibling : this.element.firstElementChild;
    if (wanted !== node && !(wanted?.classList.contains("chat-day") && wanted.nextElementSibling === node)) {
      if (after) after.after(node);
      else this.element.prepend(node);
    }
  }

  #state(node, message, conversation) {
    const state = node.querySelector("[data-state]");
    node.classList.remove("bubble--failed", "bubble--waiting");
    const other = this.side === "owner" ? "staff" : "owner";
    const text = this.#mine(message) ? (conversation.marks[other] >= message.seq ? this.words.read : this.words.sent) : "";
    if (state.textContent !== text) state.textContent = text;
  }

  #pending(node, item, conversation) {
    const state = node.querySelector("[data-state]");
    node.classList.toggle("bubble--failed", Boolean(item.failed));
    node.classList.toggle("bubble--waiting", !item.failed);
    if (!item.failed) {
      state.textContent = this.words.sending;
      return;
    }
    if (state.querySelector("button")) return;
    state.setAttribute("role", "alert");
    state.textContent = `${item.failed} `;
    const again = document.createElement("button");
    again.type = "button";
    again.className = "link";
    again.textContent = this.words.retry;
    again.addEventListener("click", () => {
      state.removeAttribute("role");
      state.textContent = "";
      conversation.retry(item.client_id);
    });
    state.append(again);
  }

  #forget(conversation) {
    const living = new Set(conversation.messages.map((message) => this.#key(message)));
    for (const item of conversation.pending) living.add(`own:${item.client_id}`);
    for (const [id, node] of this.#shown) {
      if (living.has(id)) continue;
      node.remove();
      this.#shown.delete(id);
    }
  }
}

export function linked(text) {
  const parts = [];
  let from = 0;
  for (const found of text.matchAll(LINK)) {
    parts.push(text.slice(from, found.index));
    const link = document.createElement("a");
    link.href = found[0];
    link.rel = "noopener nofollow ugc";
    link.target = "_blank";
    link.textContent = found[0];
    parts.push(link);
    from = found.index + found[0].length;
  }
  return [...parts, text.slice(from)];
}
