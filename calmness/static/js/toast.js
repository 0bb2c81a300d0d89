// Short news at the bottom of the page. It stays at least six seconds, longer while the pointer or the focus is on it.
const LIFE_MS = 6000;

export function toast(text, { href } = {}) {
  const region = document.querySelector("[data-toasts]");
  if (!region) return;
  const item = document.createElement("div");
  item.className = "toast";
  if (href) {
    const link = document.createElement("a");
    link.href = href;
    link.textContent = text;
    item.append(link);
  } else {
    item.textContent = text;
  }
  region.append(item);
  let timer = setTimeout(() => item.remove(), LIFE_MS);
  for (const name of ["pointerenter", "focusin"]) item.addEventListener(name, () => clearTimeout(timer));
  for (const name of ["pointerleave", "focusout"]) {
    item.addEventListener(name, () => {
      timer = setTimeout(() => item.remove(), LIFE_MS);
    });
  }
}
