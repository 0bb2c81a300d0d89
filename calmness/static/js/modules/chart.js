// Reads a line chart: the point under the pointer or, by arrow keys, one after the other. The texts come from the
// server, which wrote them in the reader's language; here nothing is formatted.
const SVG = "http://www.w3.org/2000/svg";

function part(name, className, attributes = {}) {
  const element = document.createElementNS(SVG, name);
  element.setAttribute("class", className);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

export default function chart(plot) {
  const svg = plot.querySelector("svg[data-values]");
  if (!svg) return undefined;
  const points = svg.dataset.values.split("\n").map((line) => {
    const [x, y, words, value] = line.split("\t");
    return { x: Number(x), y: Number(y), said: `${words}\u00a0: ${value}`, words, value };
  });
  const { width, height } = svg.viewBox.baseVal;
  const last = points.length - 1;
  const cross = part("line", "chart__cross", { y1: 0, y2: height - 26, visibility: "hidden" });
  const dot = part("circle", "chart__dot", { r: 5, visibility: "hidden" });
  svg.append(cross, dot);
  const reading = document.createElement("div");
  reading.className = "chart__reading";
  reading.hidden = true;
  const strong = document.createElement("strong");
  const place = document.createElement("span");
  reading.append(strong, place);
  plot.append(reading);

  for (const [name, value] of Object.entries({ role: "slider", tabindex: "0", "aria-label": plot.dataset.chart, "aria-valuemin": "0", "aria-valuemax": String(last) })) {
    plot.setAttribute(name, value);
  }
  let index = last;
  const say = () => {
    plot.setAttribute("aria-valuenow", String(index));
    plot.setAttribute("aria-valuetext", points[index].said);
  };
  const show = (next) => {
    index = Math.max(0, Math.min(last, next));
    const point = points[index];
    cross.setAttribute("x1", point.x);
    cross.setAttribute("x2", point.x);
    dot.setAttribute("cx", point.x);
    dot.setAttribute("cy", point.y);
    strong.textContent = point.value;
    place.textContent = point.words;
    reading.classList.toggle("chart__reading--start", point.x > width / 2);
    reading.hidden = false;
    for (const mark of [cross, dot]) mark.setAttribute("visibility", "visible");
    say();
  };
  const hide = () => {
    reading.hidden = true;
    for (const mark of [cross, dot]) mark.setAttribute("visibility", "hidden");
  };
  const nearest = (x) => {
    let low = 0;
    let high = last;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (points[middle].x < x) low = middle;
      else high = middle;
    }
    return x - points[low].x < points[high].x - x ? low : high;
  };
  const page = Math.max(1, Math.round(points.length / 10));
  const moves = { ArrowLeft: () => index - 1, ArrowRight: () => index + 1, ArrowDown: () => index - 1, ArrowUp: () => index + 1, Home: () => 0, End: () => last, PageDown: () => index - page, PageUp: () => index + page };
  const onKey = (event) => {
    if (event.key === "Escape") return hide();
    const move = moves[event.key];
    if (!move || event.ctrlKey || event.metaKey || event.altKey) return undefined;
    event.preventDefault();
    return show(move());
  };
  const onPointer = (event) => {
    const box = svg.getBoundingClientRect();
    show(nearest(((event.clientX - box.left) / box.width) * width));
  };
  const listeners = { keydown: onKey, pointermove: onPointer, pointerdown: onPointer, pointerleave: hide, blur: hide };
  for (const [name, listener] of Object.entries(listeners)) plot.addEventListener(name, listener);
  say();
  return () => {
    for (const [name, listener] of Object.entries(listeners)) plot.removeEventListener(name, listener);
  };
}
