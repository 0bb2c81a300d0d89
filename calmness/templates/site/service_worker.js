{#- Keeps one page and its files for when the site cannot be reached. Pages with people's data are never kept. -#}
const CACHE = "offline {{ asset('') }} {{ current_locale() }} {{ current_theme() }}";
const PAGE = "{{ url_for('site.offline') }}";
const FILES = [
  {% for path in (
    "css/app.css",
    "fonts/fraunces.woff2",
    "fonts/inter.woff2",
    "img/icons.svg",
    "js/app.js",
    "js/engaged.js",
    "js/modules/draft.js",
    "js/modules/online.js",
    "js/trusted.js",
  ) %}"{{ asset(path) }}",
  {% endfor %}
];

addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll([PAGE, ...FILES])).then(() => skipWaiting()));
});

addEventListener("activate", (event) => {
  const others = caches.keys().then((names) => Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name))));
  // Asks the server while this worker wakes up: no page comes later for it.
  event.waitUntil(Promise.all([others, registration.navigationPreload?.enable()]));
});

async function page(event) {
  try {
    return (await event.preloadResponse) ?? (await fetch(event.request));
  } catch {
    return caches.match(PAGE);
  }
}

addEventListener("fetch", (event) => {
  const { request } = event;
  // A form that could not be sent stays with the browser, which offers to send it again.
  if (request.mode === "navigate" && request.method === "GET") event.respondWith(page(event));
  else if (FILES.includes(new URL(request.url).pathname)) event.respondWith(caches.match(request).then((kept) => kept ?? fetch(request)));
});
