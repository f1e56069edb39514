const see = (name, value) => document.body.setAttribute(`data-seen-${name}`, value);
const shown = () => [...document.querySelectorAll("#lanes .bars rect")].filter((bar) => bar.style.display !== "none");
const point = (type, target, x, y, more) =>
    target.dispatchEvent(new PointerEvent(type, { bubbles: true, cancelable: true, clientX: x, clientY: y, ...more }));
const ticks = () => [...document.querySelectorAll("#lanes .axis text")].map((text) => text.textContent).join(", ");
const box = (bar) => bar.getBoundingClientRect();
see("bars", shown().length);
see("ticks", ticks());

const bar = shown()[2];
const [x, y] = [box(bar).left + box(bar).width / 2, box(bar).top + box(bar).height / 2];
point("pointermove", document.elementFromPoint(x, y), x, y);
see("tip", document.getElementById("tip").textContent);
see("tip-hidden", document.getElementById("tip").hidden);
point("pointermove", document.body, 1, 1);
see("tip-hidden-later", document.getElementById("tip").hidden);

// Drags over the third bar alone.
const width = box(bar).width;
point("pointerdown", bar, box(bar).left + 1, y, { button: 0 });
point("pointermove", bar, x, y);
see("chosen-while-dragging", document.getElementById("chosen") !== null);
point("pointerup", bar, box(bar).right - 1, y);
see("chosen-later", document.getElementById("chosen") !== null);
see("bars-dragged", shown().length);
see("times-as-wide", box(bar).width / width);
see("place", location.hash);
see("ticks-dragged", ticks());
document.querySelector("button[data-key='Escape']").click();
see("bars-all", shown().length);
see("place-all", location.hash);
document.getElementById("lanes").dispatchEvent(new KeyboardEvent("keydown", { key: "+", bubbles: true }));
see("bars-plus", shown().length);
document.getElementById("lanes").dispatchEvent(new MouseEvent("dblclick", { bubbles: true }));
see("bars-double-click", shown().length);
