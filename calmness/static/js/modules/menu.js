// Puts a popover under its button where anchor positioning lacks.
export default function menu(panel) {
  if (CSS.supports("position-area: block-end")) return undefined;
  const button = document.querySelector(`[popovertarget="${CSS.escape(panel.id)}"]`);
  const place = (event) => {
    if (event.newState !== "open" || !button) return;
    const box = button.getBoundingClientRect();
    panel.style.position = "fixed";
    panel.style.top = `${box.bottom + 4}px`;
    panel.style.left = `${Math.max(8, Math.min(box.right - panel.offsetWidth, innerWidth - panel.offsetWidth - 8))}px`;
  };
  panel.addEventListener("toggle", place);
  return () => panel.removeEventListener("toggle", place);
}
