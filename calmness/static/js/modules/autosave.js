// Saves a form by itself a moment after the last change: <form data-module="autosave"> with a [data-state] that says how it
// stands, in the words of data-saved, data-saving and data-unsaved. The button works all the same; the server refuses what a
// newer page would lose, and says so.
const PAUSE = 1200;

export default function autosave(form) {
  const state = form.querySelector("[data-state]");
  const say = (text) => {
    if (state) state.textContent = text;
  };
  let timer = 0;
  let busy = false;
  let again = false;
  const save = async () => {
    clearTimeout(timer);
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    say(form.dataset.saving);
    try {
      do {
        again = false;
        const response = await fetch(form.action, { method: "POST", body: new FormData(form), credentials: "same-origin", headers: { "X-Autosave": "1", Accept: "application/json" }, redirect: "manual" });
        const answer = response.headers.get("Content-Type")?.includes("json") ? await response.json() : {};
        if (response.ok && answer.revision !== undefined) {
          form.elements.revision.value = answer.revision;
          say(form.dataset.saved);
          if (!again) sessionStorage.removeItem(`ct.draft.${location.pathname}.${form.id}`);
        } else if (response.status === 409) {
          // Another page saved meanwhile: the server's answer shows both texts, and keeps this one in the form.
          form.submit();
          return;
        } else say(answer.message ?? form.dataset.unsaved);
      } while (again);
    } catch {
      say(form.dataset.unsaved);
    } finally {
      busy = false;
    }
  };
  const later = () => {
    say(form.dataset.unsaved);
    clearTimeout(timer);
    timer = setTimeout(save, PAUSE);
  };
  form.addEventListener("input", later);
  return () => clearTimeout(timer);
}
