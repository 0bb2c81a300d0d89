// Changes the theme at once; the form behind it does the same without script.
export default function theme(form) {
  const onSubmit = async (event) => {
    const value = event.submitter?.value;
    if (!value) return;
    event.preventDefault();
    document.documentElement.dataset.theme = value;
    for (const button of form.querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.value === value));
    const data = new FormData(form);
    data.set("theme", value);
    await fetch(form.action, { method: "POST", body: data, redirect: "manual" });
  };
  form.addEventListener("submit", onSubmit);
  return () => form.removeEventListener("submit", onSubmit);
}
