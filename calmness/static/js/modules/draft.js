// Keeps what is typed in this tab until the form has been taken: an expired session or a reload loses nothing.
// Passwords, codes and files are never kept.
const SECRET = new Set(["password", "file", "hidden"]);

export default function draft(form) {
  const key = `ct.draft.${location.pathname}.${form.id || form.getAttribute("action") || ""}`;
  const fields = () => [...form.elements].filter((field) => field.name && !SECRET.has(field.type) && field.autocomplete !== "one-time-code");
  if (form.dataset.draftDone !== undefined) sessionStorage.removeItem(key);
  const kept = JSON.parse(sessionStorage.getItem(key) ?? "{}");
  for (const field of fields()) {
    if (!(field.name in kept)) continue;
    if (field.type === "checkbox" || field.type === "radio") field.checked = kept[field.name].includes(field.value);
    // A value that the browser itself has put back is newer than ours.
    else if (field.type === "select-one" || field.value === field.defaultValue) field.value = kept[field.name];
  }
  const save = () => {
    const values = {};
    for (const field of fields()) {
      if (field.type === "checkbox" || field.type === "radio") {
        values[field.name] ??= [];
        if (field.checked) values[field.name].push(field.value);
      } else values[field.name] = field.value;
    }
    sessionStorage.setItem(key, JSON.stringify(values));
  };
  form.addEventListener("input", save);
  // What was typed before this script had come.
  if (fields().some((field) => field.defaultValue !== undefined && field.value !== field.defaultValue)) save();
}
