// Counts down to data-until (ISO 8601); at the end the page asks the server again, which opens the door or not.
export default function countdown(element) {
  const until = new Date(element.dataset.until);
  const tick = () => {
    const left = Math.floor((until - Date.now()) / 1000);
    if (left <= 0) {
      clearInterval(timer);
      if (element.dataset.reload !== undefined) location.reload();
      return;
    }
    const days = Math.floor(left / 86_400);
    const hours = Math.floor((left % 86_400) / 3600);
    const minutes = Math.floor((left % 3600) / 60);
    const parts = days ? [`${days} j`, `${hours} h`] : hours ? [`${hours} h`, `${String(minutes).padStart(2, "0")}`] : [`${minutes} min`, `${String(left % 60).padStart(2, "0")} s`];
    element.textContent = parts.join("\u00a0");
  };
  const timer = setInterval(tick, 1000);
  tick();
  return () => clearInterval(timer);
}
