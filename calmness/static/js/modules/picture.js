// Draws what a form would make while one types: the server answers with a picture of the real document.
// Without scripts a button does the same.
export default function picture(form) {
  const image = document.getElementById(form.dataset.pictureInto);
  const says = document.querySelector("[data-picture-says]");
  if (!image) return undefined;
  const calm = says?.textContent ?? "";
  let timer = 0;
  let asked = null;

  const draw = async () => {
    asked?.abort();
    asked = new AbortController();
    image.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(form.dataset.pictureFrom, {
        method: "POST",
        body: new FormData(form),
        headers: { Accept: "image/png" },
        signal: asked.signal,
      });
      if (answer.ok) {
        const old = image.src;
        image.src = URL.createObjectURL(await answer.blob());
        image.hidden = false;
        if (old.startsWith("blob:")) URL.revokeObjectURL(old);
        if (says) says.textContent = calm;
      } else if (answer.status === 422 && says) {
        says.textContent = await answer.text();
      }
      image.removeAttribute("aria-busy");
    } catch (error) {
      if (error.name !== "AbortError") image.removeAttribute("aria-busy");
    }
  };
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(draw, 400);
  };
  form.addEventListener("input", later);
  form.addEventListener("change", later);
  return () => {
    clearTimeout(timer);
    asked?.abort();
  };
}
