// Lets the browser's keys (WebAuthn) fill a form in: asks the server what to sign, then sends the signature as the form.
export default function passkey(form) {
  const creates = form.dataset.act === "create";
  const reader = creates ? "parseCreationOptionsFromJSON" : "parseRequestOptionsFromJSON";
  if (!window.PublicKeyCredential?.[reader]) return undefined;
  const said = form.querySelector("[data-passkey-error]");
  const field = form.elements.namedItem("credential");

  const sign = async () => {
    const body = new URLSearchParams({ csrf_token: form.elements.namedItem("csrf_token").value });
    const step = form.elements.namedItem("step");
    if (step) body.set("step", step.value);
    const response = await fetch(form.dataset.options, { method: "POST", credentials: "same-origin", body });
    if (!response.ok || response.redirected) throw new Error("no options");
    const publicKey = PublicKeyCredential[reader](await response.json());
    const credential = await (creates ? navigator.credentials.create({ publicKey }) : navigator.credentials.get({ publicKey }));
    field.value = JSON.stringify(credential.toJSON());
    const stays = document.querySelector("input[name=persistent]");
    if (stays?.checked) {
      const kept = Object.assign(document.createElement("input"), { type: "hidden", name: "persistent", value: "y" });
      form.append(kept);
    }
    form.submit();
  };
  const onSubmit = (event) => {
    event.preventDefault();
    said.hidden = true;
    sign().catch(() => {
      said.hidden = false;
    });
  };
  form.hidden = false;
  form.addEventListener("submit", onSubmit);
  return () => form.removeEventListener("submit", onSubmit);
}
