// A conversation as it stands on the server. An event is only a hint: what counts is the number of each message, so a
// gap, a reconnect and a tab that wakes up all ask for "everything after the last one I have". What is written waits in
// localStorage until the server has acknowledged it, and leaves again under the same id: nothing lost, nothing doubled.
const ANSWER_MS = 8_000;
const NET_MS = 60_000;
const HIDDEN_MS = 30_000;
const REFUSED_S = 20;

let shared;

export async function socket() {
  shared ??= import("./../vendor/socket.io-client/socket.io.esm.min.js").then(({ io }) => {
    const opened = io("/support", { transports: ["websocket", "polling"], reconnectionDelayMax: 10_000, randomizationFactor: 0.5 });
    // Another tab confirmed who sits here: the server cuts the socket, and takes it back with the new cookie.
    opened.on("session:renewed", () => setTimeout(() => opened.active || opened.connect(), 1_000));
    return opened;
  });
  return shared;
}

function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "[]");
  } catch {
    return [];
  }
}

function write(key, value) {
  try {
    if (value.length) localStorage.setItem(key, JSON.stringify(value));
    else localStorage.removeItem(key);
  } catch {
    // Storage full or forbidden: the message lives as long as the page.
  }
}

// Events: "change" (anything shown), "typing", "state" (connection), "room" (room, presence), "refused".
export class Conversation extends EventTarget {
  messages = [];
  pending = [];
  marks = { owner: 0, staff: 0 };
  room = null;
  presence = null;
  lastSeq = 0;
  more = false;
  unread = 0;
  connected = false;
  // Whether a page should speak of a lost connection: not while the first one is being made.
  away = false;
  introduction = {};
  #busy = false;
  #asking = null;
  #timer = 0;
  #hiddenAt = 0;
  #typedAt = 0;
  #watched = false;

  constructor(connection, { side, room = null }) {
    super();
    this.socket = connection;
    this.side = side;
    this.wanted = room;
    this.handlers = {
      connect: () => this.#enter(),
      disconnect: () => this.#lost(),
      connect_error: () => this.#refused(),
      "message:new": (news) => this.#onNew(news),
      "message:state": (news) => this.#onState(news),
      "room:updated": (news) => this.#onRoom(news),
      presence: (news) => this.#onPresence(news),
      typing: (news) => this.#onTyping(news),
    };
    for (const [name, handler] of Object.entries(this.handlers)) connection.on(name, handler);
    this.onVisible = () => this.#wake();
    document.addEventListener("visibilitychange", this.onVisible);
    this.onStorage = (event) => event.key === this.key && this.#reloadPending();
    addEventListener("storage", this.onStorage);
    this.net = setInterval(() => document.visibilityState === "visible" && this.catchUp(), NET_MS);
    // A second request to connect while the first is under way is refused, and would end the first.
    if (connection.connected) this.#enter();
    else if (!connection.active) connection.connect();
  }

  stop() {
    for (const [name, handler] of Object.entries(this.handlers)) this.socket.off(name, handler);
    document.removeEventListener("visibilitychange", this.onVisible);
    removeEventListener("storage", this.onStorage);
    clearInterval(this.net);
    clearTimeout(this.#timer);
  }

  get key() {
    return `ct.chat.out.${this.side}.${this.room?.id ?? this.wanted ?? "new"}`;
  }

  ask(name, data) {
    return new Promise((resolve) => {
      this.socket.timeout(ANSWER_MS).emit(name, data, (lost, answer) => resolve(lost ? { error: { type: "no-answer" } } : answer ?? {}));
    });
  }

  send(body) {
    this.pending.push({ client_id: crypto.randomUUID?.() ?? uuid(), body, at: new Date().toISOString() });
    this.#keep();
    this.#tell("change");
    this.#pump();
  }

  retry(clientId) {
    const item = this.pending.find((entry) => entry.client_id === clientId);
    if (!item) return;
    delete item.failed;
    this.#keep();
    this.#tell("change");
    this.#pump();
  }

  drop(clientId) {
    this.pending = this.pending.filter((entry) => entry.client_id !== clientId);
    this.#keep();
    this.#tell("change");
  }

  typing(on) {
    const now = Date.now();
    if (!this.room || !this.connected || (on && now - this.#typedAt < 3_000) || (!on && !this.#typedAt)) return;
    this.#typedAt = on ? now : 0;
    this.socket.emit("typing", { room: this.room.id, on });
  }

  // Said by whoever shows the conversation: it is on screen now, or no longer.
  watch(on) {
    this.#watched = on;
    this.#markRead();
  }

  introduce(details) {
    this.introduction = details;
    if (this.room && this.connected) this.ask("room:open", details).then((answer) => this.#take(answer));
  }

  async older() {
    if (!this.room || !this.more) return;
    const first = this.messages[0]?.seq ?? 0;
    const answer = await this.ask("room:history", { room: this.room.id, before_seq: first });
    if (answer.error) return;
    this.more = answer.more;
    this.#add(answer.messages);
  }

  async catchUp() {
    if (!this.room || !this.connected) return;
    this.#asking ??= this.#everythingAfter().finally(() => {
      this.#asking = null;
    });
    await this.#asking;
  }

  async #everythingAfter() {
    for (;;) {
      const answer = await this.ask("room:history", { room: this.room.id, after_seq: this.lastSeq });
      if (answer.error) return;
      this.#marks(answer.read);
      this.#add(answer.messages);
      if (!answer.more) return;
    }
  }

  async #enter() {
    const wanted = this.room?.id ?? this.wanted;
    const answer = await this.ask("room:open", wanted && this.side === "staff" ? { room: wanted } : this.introduction);
    if (answer.error) {
      this.#tell("refused", answer.error);
      if (answer.error.type === "auth-expired") this.socket.disconnect();
      else this.#later(answer.error.retry_after ?? 5, () => this.#enter());
      return;
    }
    this.connected = true;
    this.away = false;
    this.#take(answer);
    this.#tell("state");
    this.#reloadPending();
    this.#pump();
  }

  #take(answer) {
    if (answer.error) return this.#tell("refused", answer.error);
    const other = this.room && this.room.id !== answer.room.id;
    const before = this.key;
    if (other) Object.assign(this, { messages: [], lastSeq: 0, marks: { owner: 0, staff: 0 } });
    this.room = answer.room;
    if (other || before.endsWith(".new")) this.#moveOutbox(before);
    this.presence = answer.presence;
    this.opening = answer.opening;
    this.notes = answer.notes;
    this.unread = answer.unread;
    this.#marks(answer.read);
    const first = answer.messages[0]?.seq ?? 0;
    if (this.lastSeq && first > this.lastSeq + 1) this.catchUp();
    else {
      if (!this.lastSeq) this.more = answer.more;
      this.#add(answer.messages);
    }
    this.#tell("room");
  }

  #lost() {
    this.connected = false;
    this.away = true;
    this.#busy = false;
    this.#tell("state");
  }

  // The network's failures are tried again by the client itself; a refusal of the server is not.
  #refused() {
    this.away = true;
    this.#tell("state");
    if (!this.socket.active) this.#later(REFUSED_S, () => this.socket.active || this.socket.connect());
  }

  #onNew({ room, message }) {
    if (room !== this.room?.id) return;
    if (message.seq > this.lastSeq + 1) this.catchUp();
    else this.#add([message]);
  }

  #onState({ room, side, seq }) {
    if (room === this.room?.id) this.#marks({ [side]: seq });
  }

  #onRoom({ side, room, unread }) {
    if (side !== this.side) return;
    this.unread = unread;
    if (room.id === this.room?.id) {
      Object.assign(this.room, room);
      if (room.last_seq > this.lastSeq) this.catchUp();
    }
    this.#tell("room");
  }

  #onPresence(news) {
    if (news.room !== this.room?.id) return;
    this.presence = news;
    this.#tell("room");
  }

  #onTyping(news) {
    if (news.room === this.room?.id) this.#tell("typing", news);
  }

  #marks(marks) {
    for (const [side, seq] of Object.entries(marks ?? {})) this.marks[side] = Math.max(this.marks[side] ?? 0, seq);
    this.#tell("change");
  }

  #add(messages) {
    const known = new Set(this.messages.map((message) => message.seq));
    const fresh = messages.filter((message) => !known.has(message.seq));
    if (!fresh.length) return;
    this.messages = [...this.messages, ...fresh].sort((one, other) => one.seq - other.seq);
    // Only what follows without a gap counts as had; a page of older messages moves nothing.
    for (const message of this.messages) {
      if (message.seq === this.lastSeq + 1 || this.lastSeq === 0) this.lastSeq = message.seq;
    }
    const ids = this.#ownIds(fresh);
    if (this.pending.some((item) => ids.has(item.client_id))) {
      this.pending = this.pending.filter((item) => !ids.has(item.client_id));
      this.#keep();
    }
    this.#tell("change");
    this.#markRead();
  }

  // Only the own side's ids: the other side could send one of ours to make a message vanish.
  #ownIds(messages) {
    const own = messages.filter((message) => (message.kind === "agent") === (this.side === "staff"));
    return new Set(own.map((message) => message.client_id));
  }

  async #pump() {
    const item = this.pending.find((entry) => !entry.failed);
    if (!item || this.#busy || !this.connected || !this.room) return;
    // One at a time: the next leaves after the answer, so the order written is the order kept.
    this.#busy = true;
    const answer = await this.ask("message:send", { room: this.room.id, client_id: item.client_id, body: item.body, attachments: [] });
    this.#busy = false;
    if (!answer.error) this.#sent(item, answer);
    else if (answer.error.type === "no-answer") return this.#later(1, () => this.#pump());
    else if (answer.error.retry_after) return this.#later(answer.error.retry_after, () => this.#pump());
    else if (["room-closed", "not-found"].includes(answer.error.type) && this.side === "owner") return this.#moveOn();
    else if (answer.error.type === "auth-expired") return this.#tell("refused", answer.error);
    else {
      item.failed = answer.error.detail;
      this.#keep();
      this.#tell("change");
    }
    this.#pump();
  }

  #sent(item, { id, seq, sent_at }) {
    this.pending = this.pending.filter((entry) => entry.client_id !== item.client_id);
    this.#keep();
    const own = { id, seq, sent_at, client_id: item.client_id, body: item.body, kind: this.side === "owner" ? "user" : "agent", name: "", own: true };
    if (seq > this.lastSeq + 1) this.catchUp();
    else this.#add([own]);
    this.#tell("change");
  }

  async #moveOn() {
    this.#take(await this.ask("room:open", {}));
    if (this.connected) this.#later(1, () => this.#pump());
  }

  #moveOutbox(from) {
    const waiting = new Map([...read(this.key), ...read(from), ...this.pending].map((item) => [item.client_id, item]));
    write(from, []);
    this.pending = [...waiting.values()];
    this.#keep();
  }

  #reloadPending() {
    const done = this.#ownIds(this.messages);
    this.pending = read(this.key).filter((item) => !done.has(item.client_id));
    this.#tell("change");
  }

  #markRead() {
    const other = this.messages.findLast((message) => (message.kind === "agent") === (this.side === "owner"));
    if (!this.#watched || document.visibilityState !== "visible" || !this.connected || !other) return;
    if (other.seq <= this.marks[this.side]) return;
    this.marks[this.side] = this.lastSeq;
    this.ask("message:read", { room: this.room.id, seq: this.lastSeq }).then((answer) => {
      if (answer.error) return;
      this.unread = answer.unread;
      this.#tell("room");
    });
  }

  #wake() {
    if (document.visibilityState === "hidden") {
      this.#hiddenAt = Date.now();
      return;
    }
    if (Date.now() - this.#hiddenAt > HIDDEN_MS) this.catchUp();
    this.#markRead();
  }

  #later(seconds, work) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(work, seconds * 1000);
  }

  #keep() {
    write(this.key, this.pending);
  }

  #tell(name, detail = null) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

function uuid() {
  // Without HTTPS and off loopback browsers offer no randomUUID.
  const bytes = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${bytes.slice(0, 8)}-${bytes.slice(8, 12)}-4${bytes.slice(13, 16)}-a${bytes.slice(17, 20)}-${bytes.slice(20)}`;
}
