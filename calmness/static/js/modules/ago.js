// Keeps "il y a 23 s" true while the page is open. The server wrote the first text.
export default function ago(element) {
  const at = new Date(element.getAttribute("datetime"));
  const format = new Intl.RelativeTimeFormat(document.documentElement.lang);
  const tick = () => {
    const seconds = Math.round((at - Date.now()) / 1000);
    const size = Math.abs(seconds);
    if (size > 6 * 86_400) return;
    if (size < 60) element.textContent = format.format(seconds, "second");
    else if (size < 3600) element.textContent = format.format(Math.round(seconds / 60), "minute");
    else if (size < 86_400) element.textContent = format.format(Math.round(seconds / 3600), "hour");
    else element.textContent = format.format(Math.round(seconds / 86_400), "day");
  };
  const timer = setInterval(tick, 5000);
  return () => clearInterval(timer);
}
