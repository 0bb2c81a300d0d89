// Opens a dialog where the browser lacks command/commandfor, closes it by a click on the backdrop.
export default function sheet(dialog) {
  const openers = [...document.querySelectorAll(`[data-opens="${CSS.escape(dialog.id)}"]`)];
  const supported = "commandForElement" in HTMLButtonElement.prototype;
  const open = () => !dialog.open && dialog.showModal();
  if (!supported) for (const opener of openers) opener.addEventListener("click", open);
  const onClick = (event) => event.target === dialog && dialog.close();
  dialog.addEventListener("click", onClick);
  return () => dialog.removeEventListener("click", onClick);
}
