"use strict";
// Zoom and tooltips. Without this, the page shows the same, as a whole.
(() => {
  const lanes = document.getElementById("lanes");
  const svg = lanes.querySelector("svg");
  const { left, width, wall } = Object.fromEntries(
    Object.entries(lanes.dataset).map(([name, value]) => [name, Number(value)]));
  const right = left + width;
  const NS_OF = { s: 1e9, ms: 1e6, "µs": 1e3, ns: 1 };

  // What is drawn, with its place while all is shown.
  const number = (shape, name) => Number(shape.getAttribute(name));
  const bars = [...svg.querySelectorAll(".bars rect")].map((shape) =>
    ({ shape, x: number(shape, "x"), width: number(shape, "width") }));
  const lines = [...svg.querySelectorAll(".marks line")].map((shape) =>
    ({ shape, x: number(shape, "x1") }));
  const triangles = [...svg.querySelectorAll(".marks polygon")].map((shape) =>
    ({ shape, x: shape.points.getItem(2).x }));
  const axis = svg.querySelector(".axis");
  const axisLines = axis.querySelector("line");
  const axisText = axis.querySelector("text");

  // From when to when is shown, in nanoseconds since the profile began.
  let view = { from: 0, to: wall };
  const zoomed = (x) => left + ((x - left) / width * wall - view.from) / (view.to - view.from) * width;

  function show(from, to) {
    // No finer than the places of the bars are.
    const least = Math.max(1, wall / 2000);
    const span = Math.min(wall, Math.max(least, to - from));
    const middle = (from + to) / 2;
    const start = Math.min(Math.max(0, middle - span / 2), wall - span);
    view = { from: start, to: start + span };
    draw();
    const place = `#ns=${Math.round(view.from)}-${Math.round(view.to)}`;
    const isWhole = span >= wall;
    if (isWhole ? location.hash : location.hash !== place) {
      history.replaceState(null, "", isWhole ? "#" : place);
    }
  }

  function draw() {
    for (const bar of bars) {
      const from = Math.max(left, zoomed(bar.x));
      const to = Math.min(right, zoomed(bar.x + bar.width));
      const isSeen = to >= left && from <= right;
      bar.shape.style.display = isSeen ? "" : "none";
      if (isSeen) {
        // A hairline tells two long chunks in a row apart.
        const drawn = to - from > 3 ? to - from - 0.6 : Math.max(0.5, to - from);
        bar.shape.setAttribute("x", from.toFixed(2));
        bar.shape.setAttribute("width", drawn.toFixed(2));
      }
    }
    for (const { shape, x } of triangles.concat(lines)) {
      const to = zoomed(x);
      shape.style.display = to >= left && to <= right ? "" : "none";
      shape.setAttribute("transform", `translate(${(to - x).toFixed(2)})`);
    }
    drawAxis();
  }

  function drawAxis() {
    if (!axisLines || !axisText) return;
    const [unit, ns] = Object.entries(NS_OF).find(([, ns]) => view.to >= ns) ?? ["ns", 1];
    const least = (view.to - view.from) / ns / 8;
    const power = 10 ** Math.floor(Math.log10(least));
    const step = [1, 2, 5, 10].map((digit) => digit * power).find((step) => step >= least * 0.999999);
    const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    axis.replaceChildren();
    for (let tick = Math.ceil(view.from / ns / step); tick * step * ns <= view.to; tick += 1) {
      const x = left + (tick * step * ns - view.from) / (view.to - view.from) * width;
      const line = axisLines.cloneNode();
      line.setAttribute("x1", x.toFixed(2));
      line.setAttribute("x2", x.toFixed(2));
      const text = axisText.cloneNode();
      text.setAttribute("x", x.toFixed(2));
      text.textContent = `${(tick * step).toFixed(decimals)} ${unit}`;
      axis.append(line, text);
    }
  }

  // The time under the pointer.
  const timeAt = (event) => {
    const box = svg.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width * svg.viewBox.baseVal.width;
    const share = Math.min(1, Math.max(0, (x - left) / width));
    return view.from + share * (view.to - view.from);
  };
  const zoom = (factor, about = (view.from + view.to) / 2) =>
    show(about - (about - view.from) * factor, about + (view.to - about) * factor);
  const move = (share) => {
    const by = share * (view.to - view.from);
    show(view.from + by, view.to + by);
  };
  const ways = {
    "+": () => zoom(0.5), "-": () => zoom(2), ArrowLeft: () => move(-0.25), ArrowRight: () => move(0.25),
    Escape: () => show(0, wall),
  };

  lanes.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    zoom(event.deltaY < 0 ? 0.8 : 1.25, timeAt(event));
  }, { passive: false });
  lanes.addEventListener("dblclick", ways.Escape);
  lanes.addEventListener("keydown", (event) => {
    if (!(event.key in ways)) return;
    event.preventDefault();
    ways[event.key]();
  });
  for (const button of document.querySelectorAll("button[data-key]")) {
    button.addEventListener("click", ways[button.dataset.key]);
  }

  // A stretch that is chosen by dragging.
  const chosen = document.createElement("div");
  chosen.id = "chosen";
  let began = null;
  lanes.addEventListener("pointerdown", (event) => {
    if (event.button === 0) began = event;
  });
  window.addEventListener("pointermove", (event) => {
    if (!began) return;
    const box = svg.getBoundingClientRect();
    const [from, to] = [began.clientX, event.clientX].sort((a, b) => a - b);
    Object.assign(chosen.style, {
      left: `${from + scrollX}px`, width: `${to - from}px`, top: `${box.top + scrollY}px`, height: `${box.height}px`,
    });
    document.body.append(chosen);
  });
  window.addEventListener("pointerup", (event) => {
    chosen.remove();
    if (began && Math.abs(event.clientX - began.clientX) > 4) {
      const [from, to] = [timeAt(began), timeAt(event)].sort((a, b) => a - b);
      show(from, to);
    }
    began = null;
  });

  // The titles that browsers show late, at once.
  const tip = document.createElement("div");
  tip.id = "tip";
  tip.hidden = true;
  document.body.append(tip);
  for (const title of document.querySelectorAll("figure svg title, td svg title")) {
    title.parentNode.dataset.tip = title.textContent;
    title.remove();
  }
  document.addEventListener("pointermove", (event) => {
    const told = event.target.closest?.("[data-tip]");
    tip.hidden = !told;
    if (!told) return;
    tip.textContent = told.dataset.tip;
    tip.style.left = `${Math.max(0, Math.min(event.clientX + 12, innerWidth - tip.offsetWidth - 8))}px`;
    tip.style.top = `${Math.max(0, Math.min(event.clientY + 16, innerHeight - tip.offsetHeight - 8))}px`;
  });

  const follow = () => {
    const place = /^#ns=(\d+)-(\d+)$/.exec(location.hash);
    if (place) show(Number(place[1]), Number(place[2]));
    else show(0, wall);
  };
  window.addEventListener("hashchange", follow);
  if (wall > 0) follow();
  document.getElementById("ways").hidden = false;
})();
