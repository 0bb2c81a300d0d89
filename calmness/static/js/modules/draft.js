// Keeps what is typed in this tab until the form has been taken: an expired session or a reload loses nothing.
// Passwords, codes, files and what is typed on the way through a log-in are never kept.
const SECRET = new Set(["password", "file", "hidden", "submit"]);
const SENT = "ct.draft.sent";
// Where a form that was sent did not get through: its own errors, a page of error, or the way through a log-in.
const REFUSED = ".error-summary, .notice--error, [data-error], [data-detour]";

// Called on each page: what was sent by the page before and not refused needs no copy any longer.
export function settle() {
  const key = sessionStorage.getItem(SENT);
  if (!key) return;
  sessionStorage.removeItem(SENT);
  if (!document.querySelector(REFUSED)) sessionStorage.removeItem(key);
}

export function draft(form) {
  const key = `ct.draft.${location.pathname}.${form.id || form.getAttribute("action") || ""}`;
  const fields = [...form.elements].filter((field) => field.name && !SECRET.has(field.type) && field.autocomplete !== "one-time-code");
  if (!fields.length || form.dataset.detour !== undefined) return;
  const values = () => {
    const found = {};
    for (const field of fields) {
      if (isChoice(field)) (found[field.name] ??= []).push(...(field.checked ? [field.value] : []));
      else found[field.name] = field.value;
    }
    return JSON.stringify(found);
  };
  const save = () => sessionStorage.setItem(key, values());

  const before = values();
  restore(fields, JSON.parse(sessionStorage.getItem(key) ?? "{}"));
  if (values() !== before && !document.querySelector(REFUSED)) tell(form, key);
  form.addEventListener("input", save);
  form.addEventListener("submit", () => {
    save();
    sessionStorage.setItem(SENT, key);
  });
  // What was typed before this script had come.
  if (fields.some((field) => field.defaultValue !== undefined && !isChoice(field) && field.value !== field.defaultValue)) save();
}

function isChoice(field) {
  return field.type === "checkbox" || field.type === "radio";
}

function restore(fields, kept) {
  for (const field of fields) {
    if (!(field.name in kept)) continue;
    if (isChoice(field)) field.checked = kept[field.name].includes(field.value);
    // A value that the browser itself has put back is newer than ours.
    else if (field.type === "select-one" || field.value === field.defaultValue) field.value = kept[field.name];
  }
}

function tell(form, key) {
  const note = document.querySelector("template[data-draft-note]")?.content.firstElementChild?.cloneNode(true);
  if (!note) return;
  note.querySelector("button").addEventListener("click", () => {
    sessionStorage.removeItem(key);
    form.reset();
    note.remove();
  });
  form.prepend(note);
}
