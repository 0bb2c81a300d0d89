// A form sends once: the second click finds the button busy. The server is idempotent all the same.
// Until it has been taken, what was typed into it is kept.
import { draft } from "./draft.js";

export default function once(form) {
  draft(form);
  const onSubmit = (event) => {
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "1";
    for (const button of form.querySelectorAll("button[type=submit], button:not([type])")) button.setAttribute("aria-disabled", "true");
  };
  const reset = () => {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("[aria-disabled]")) button.removeAttribute("aria-disabled");
  };
  form.addEventListener("submit", onSubmit);
  addEventListener("pageshow", reset);
  return () => removeEventListener("pageshow", reset);
}
