// The API's access token: kept in localStorage, renewed silently before it ends. The refresh token is an HttpOnly
// cookie that no script sees. Tabs agree through a lock: the first renews, the others read what it got.
const KEY = "ct.access";
const EARLY_MS = 60_000;
let timer;

function read() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "null");
    return kept && kept.user === userId() && kept.until > Date.now() + 5_000 ? kept : null;
  } catch {
    return null;
  }
}

function userId() {
  return document.querySelector("meta[name=user]")?.content ?? "";
}

function cookie(name) {
  return document.cookie.split("; ").find((part) => part.startsWith(`${name}=`))?.slice(name.length + 1) ?? "";
}

// On a developer's machine the name carries the port, since cookies do not: two checkouts keep apart.
function proof() {
  return cookie(`ct_refresh_csrf_${location.port}`) || cookie("ct_refresh_csrf");
}

async function renew() {
  const work = async () => {
    const kept = read();
    if (kept && kept.until > Date.now() + EARLY_MS) return kept;
    const response = await fetch("/api/v1/auth/refresh", {
      method: "POST",
      credentials: "same-origin",
      headers: { "X-CSRF-TOKEN": proof() },
    });
    if (!response.ok) {
      if (response.status === 401) localStorage.removeItem(KEY);
      return null;
    }
    const answer = await response.json();
    // The server's clock, not this computer's: only the length of life counts.
    const fresh = { token: answer.access_token, until: Date.now() + answer.expires_in * 1000, user: userId() };
    localStorage.setItem(KEY, JSON.stringify(fresh));
    return fresh;
  };
  return navigator.locks ? navigator.locks.request("ct-refresh", work) : work();
}

export async function accessToken() {
  return (read() ?? (await renew()))?.token ?? null;
}

// fetch for the API: bearer token, renewed once when the server refuses it.
export async function api(path, options = {}) {
  const call = async () => {
    const token = await accessToken();
    return fetch(`/api/v1/${path}`, {
      ...options,
      credentials: "omit",
      headers: { ...options.headers, ...(token ? { Authorization: `Bearer ${token}` } : {}) },
    });
  };
  const response = await call();
  if (response.status !== 401) return response;
  localStorage.removeItem(KEY);
  return call();
}

export function forget() {
  localStorage.removeItem(KEY);
}

export async function begin() {
  clearTimeout(timer);
  if (!proof()) return;
  // Before it ends, so that nobody waits for it; where it has long to live, this only reads it.
  const kept = await renew().catch(() => null);
  const wait = kept ? Math.max(kept.until - Date.now() - EARLY_MS, 5_000) : 60_000;
  timer = setTimeout(begin, wait);
}

// The network is back: whatever ended meanwhile is renewed now, not at the next minute.
addEventListener("online", () => begin());

addEventListener("storage", (event) => {
  // Another tab logged out: this one shows nothing private any longer.
  if (event.key === "ct.out" && event.newValue) location.assign("/connexion");
});
