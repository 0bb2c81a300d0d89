// On a narrow screen tabs scroll: the chosen one starts in view, with a piece of the one before it.
export default function tabs(nav) {
  const current = nav.querySelector("[aria-current]");
  if (current) nav.scrollLeft = current.offsetLeft - nav.offsetLeft - 48;
}
