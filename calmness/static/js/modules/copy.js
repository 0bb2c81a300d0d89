// Copies the text of data-copy and says so on the button.
export default function copy(button) {
  const said = button.querySelector("[data-copy-said]");
  const before = said?.textContent;
  const onClick = async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    if (!said) return;
    said.textContent = document.documentElement.lang === "en" ? "Copied" : "Copié";
    setTimeout(() => {
      said.textContent = before;
    }, 2000);
  };
  button.addEventListener("click", onClick);
  return () => button.removeEventListener("click", onClick);
}
