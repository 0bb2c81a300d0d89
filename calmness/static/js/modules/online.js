// Asks for the page again when the site answers: <div data-module="online">. The browser's word that the network is
// back may come before this listens, and says nothing of a site that was being updated: so it asks by itself as well.
const FIRST_MS = 1000;
const LONGEST_MS = 30_000;

export default function online() {
  let timer;
  let pause = FIRST_MS;
  const ask = async () => {
    clearTimeout(timer);
    try {
      const answer = await fetch(location.href, { method: "HEAD", cache: "no-store" });
      if (answer.status < 500) return location.reload();
    } catch {
      // Not yet.
    }
    timer = setTimeout(ask, pause);
    pause = Math.min(pause * 2, LONGEST_MS);
  };
  addEventListener("online", ask);
  timer = setTimeout(ask, pause);
  return () => {
    clearTimeout(timer);
    removeEventListener("online", ask);
  };
}
