// The one Trusted Types policy of the site (the header allows this name only). htmx gets it through an extension:
// what it swaps in comes from our own server; innerHTML anywhere else stays blocked.
export const policy = globalThis.trustedTypes?.createPolicy("calmness", {
  createHTML: (html) => html,
  createScriptURL: (url) => {
    if (new URL(url, location.href).origin !== location.origin) throw new TypeError("foreign script");
    return url;
  },
});
