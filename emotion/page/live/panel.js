// Draws what is new in place. A screen reader is told a label when it changes, and at most once in so many milliseconds.
const BETWEEN_TOLD = 3000;
const MOST_TOLD = 8;
const SVG = "http://www.w3.org/2000/svg";

const make = (kind, name = "", parent = null, text = "") => {
  const element = document.createElement(kind);
  if (name) element.className = name;
  if (text) element.textContent = text;
  parent?.append(element);
  return element;
};
const draw = (kind, attributes, parent) => {
  const element = document.createElementNS(SVG, kind);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  parent?.append(element);
  return element;
};
const put = (element, text) => { if (element.textContent !== text) element.textContent = text; };

// Black or white, whichever is told better from a ground (relative luminance, WCAG 2).
const inkOn = (colour) => {
  const [red, green, blue] = [1, 3, 5].map((at) => (parseInt(colour.slice(at, at + 2), 16) / 255) ** 2.2);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? "#000" : "#fff";
};

const build = (root) => {
  const parts = { root };
  parts.faces = make("div", "faces", root);
  parts.faces.setAttribute("role", "group");
  parts.faces.setAttribute("aria-label", "Face that is shown");
  const head = make("div", "head", root);
  parts.ring = draw("svg", { class: "ring", viewBox: "0 0 36 36", "aria-hidden": "true" }, head);
  draw("circle", { cx: 18, cy: 18, r: 14 }, parts.ring);
  parts.left = draw("circle", { class: "left", cx: 18, cy: 18, r: 14 }, parts.ring);
  parts.label = make("h2", "label", head);
  parts.notice = make("p", "notice", head);
  parts.marks = make("div", "marks", head);
  parts.marks.setAttribute("role", "group");
  parts.marks.setAttribute("aria-label", "Ballots of the five models");
  parts.said = make("p", "said", root);
  parts.bars = make("dl", "bars", root);
  parts.course = make("div", "course", root);
  parts.plot = make("div", "plot", parts.course);
  parts.svg = draw("svg", { viewBox: "0 0 1000 100", preserveAspectRatio: "none", role: "img" }, parts.plot);
  parts.times = make("div", "times", parts.course);
  parts.times.setAttribute("aria-hidden", "true");
  make("p", "what", parts.course, "The last minute: the higher, the more probable; pale where uncertain, grey where paused.");
  parts.sum = make("p", "sum", parts.course);
  parts.whose = make("p", "whose", root);
  parts.heard = make("p", "heard", root);
  parts.heard.setAttribute("aria-live", "polite");
  return parts;
};

// Buttons are made anew only where others are to be pressed; whoever uses keys stays on theirs.
const drawFaces = (parts, data, choose) => {
  const faces = data.faces ?? [];
  parts.faces.hidden = !data.faces;
  const listed = faces.map(([number]) => number).join(" ");
  if (parts.listed !== listed) {
    const focused = parts.faces.getRootNode().activeElement?.dataset.number;
    parts.listed = listed;
    parts.faces.replaceChildren();
    for (const [number] of faces) {
      const face = make(faces.length > 1 ? "button" : "span", "", parts.faces, `Face ${number}`);
      face.dataset.number = number;
      if (faces.length === 1) continue;
      face.type = "button";
      face.onclick = () => choose(number);
      if (face.dataset.number === focused) face.focus();
    }
  }
  faces.forEach(([number, here], place) => {
    const face = parts.faces.children[place];
    face.className = here ? "" : "away";
    if (faces.length === 1) return;
    face.setAttribute("aria-pressed", String(number === data.face));
    if (here) face.removeAttribute("aria-label");
    else face.setAttribute("aria-label", `Face ${number}, not in the picture`);
  });
};

const drawRing = (parts, ring) => {
  parts.ring.toggleAttribute("hidden", !ring);
  parts.ring.dataset.votes = ring?.votes ?? "";
  if (!ring || parts.votes === ring.votes || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  parts.votes = ring.votes;
  parts.left.getAnimations().forEach((running) => running.cancel());
  const begun = 88 * Math.min(1, ring.left / ring.every);
  const closing = [{ strokeDashoffset: begun }, { strokeDashoffset: 0 }];
  // In steps: each is painted anew, which takes time that a video on the same computer needs.
  parts.left.animate(closing, { duration: 1000 * ring.left, easing: "steps(16)", fill: "forwards" });
};

const drawMarks = (parts, data) => {
  const ballots = data.ballots ?? [];
  while (parts.marks.children.length > ballots.length) parts.marks.lastChild.remove();
  ballots.forEach((ballot, place) => {
    const mark = parts.marks.children[place] ?? make("button", "", parts.marks);
    const colour = data.colours[data.classes.indexOf(ballot)] ?? "#777777";
    const agrees = ballot === data.label;
    mark.type = "button";
    mark.className = agrees ? "agrees" : "";
    mark.style.setProperty("--of", colour);
    mark.style.setProperty("--ink", inkOn(colour));
    put(mark, agrees ? "✓" : [...ballot][0] ?? "");
    mark.setAttribute("aria-label", `${data.models[place]}: ${ballot}`);
    const name = (named) => () => { parts.named = named; drawSaid(parts); };
    mark.onpointerenter = mark.onfocus = mark.onclick = name(place);
    mark.onpointerleave = mark.onblur = name(null);
  });
  if (parts.named >= ballots.length) parts.named = null;
};

const drawSaid = (parts) => {
  const mark = parts.named === null || parts.named === undefined ? null : parts.marks.children[parts.named];
  put(parts.said, mark ? mark.getAttribute("aria-label") : parts.data.said ?? "");
};

const drawBars = (parts, data) => {
  if (parts.classes !== data.classes.join("\n")) {
    parts.classes = data.classes.join("\n");
    parts.bars.replaceChildren();
    parts.rows = data.classes.map((label, place) => {
      make("dt", "", parts.bars, label);
      const fill = make("i", "", make("dd", "bar", parts.bars));
      fill.parentElement.setAttribute("aria-hidden", "true");
      fill.style.background = data.colours[place];
      return { fill, share: make("dd", "", parts.bars) };
    });
  }
  parts.rows.forEach(({ fill, share }, place) => {
    fill.style.transform = `scaleX(${data.shares?.[place] ?? 0})`;
    put(share, data.told?.[place] ?? "–");
  });
};

const clock = (milliseconds) => new Date(milliseconds).toLocaleTimeString([], { hourCycle: "h23" });

const courseTold = (data) => {
  const { votes = [], marks = [], pauses = [], end } = data.course;
  const at = (seconds) => clock(end + 1000 * seconds);
  const stretches = [];
  for (const [from, to, label, , unsure] of votes) {
    const last = stretches.at(-1);
    const said = unsure ? `${label}, uncertain,` : label;
    if (last && last.said === said && from - last.to < 0.1) last.to = to;
    else stretches.push({ from, to, said });
  }
  const told = stretches.slice(-MOST_TOLD).map(({ from, to, said }) => `${said} from ${at(from)} to ${at(to)}`);
  const which = stretches.length > MOST_TOLD ? `the last ${MOST_TOLD} of ${stretches.length} stretches are ` : "";
  return [
    `The last minute${data.face ? ` of face ${data.face}` : ""}: ${which}${told.join(", ") || "no vote on this face"}.`,
    ...marks.map(([seconds, word]) => `Mark at ${at(seconds)}: ${word}.`),
    ...pauses.map(([from, to]) => `Paused from ${at(from)} to ${at(to)}.`),
  ].join(" ");
};

const drawCourse = (parts, data) => {
  parts.course.hidden = !data.course;
  if (!data.course) return;
  const { seconds = 60, end, votes = [], marks = [], pauses = [] } = data.course;
  const place = (at) => 1000 * (1 + at / seconds);
  parts.svg.replaceChildren();
  parts.svg.setAttribute("aria-label", courseTold(data));
  pauses.forEach(([from, to]) =>
    draw("rect", { class: "pause", x: place(from), width: place(to) - place(from), y: 0, height: 100 }, parts.svg));
  votes.forEach(([from, to, label, share, unsure]) => draw("rect", {
    x: place(from), width: Math.max(0, place(to) - place(from)) + 0.5, y: 100 - 100 * share, height: 100 * share,
    fill: data.colours[data.classes.indexOf(label)] ?? "#777777", opacity: unsure ? 0.4 : 1,
  }, parts.svg));
  marks.forEach(([at]) => draw("line", { x1: place(at), x2: place(at), y1: 0, y2: 100 }, parts.svg));
  parts.plot.querySelectorAll(".mark").forEach((mark) => mark.remove());
  marks.forEach(([at, word]) => {
    const mark = make("span", at > -seconds / 4 ? "mark left" : "mark", parts.plot, word);
    mark.style.left = `${place(at) / 10}%`;
    mark.setAttribute("aria-hidden", "true");
  });
  parts.times.replaceChildren();
  if (!end) return;
  const step = seconds > 30 ? 15_000 : 5_000;
  for (let at = Math.ceil((end - 1000 * seconds) / step) * step; at <= end; at += step) {
    const from = place((at - end) / 1000) / 10;
    if (from > 4 && from < 96) make("span", "", parts.times, clock(at)).style.left = `${from}%`;
  }
};

const tell = (parts, text) => {
  if (text === parts.told) return;
  parts.told = text;
  clearTimeout(parts.telling);
  const wait = Math.max(0, (parts.toldAt ?? -BETWEEN_TOLD) + BETWEEN_TOLD - performance.now());
  parts.telling = setTimeout(() => {
    parts.toldAt = performance.now();
    put(parts.heard, parts.told);
  }, wait);
};

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".live");
  const parts = root.parts ??= build(root);
  parts.data = data;
  root.classList.toggle("old", Boolean(data.old));
  root.classList.toggle("moving", Boolean(data.faces));
  drawFaces(parts, data, (number) => setStateValue("face", number));
  drawRing(parts, data.ring);
  put(parts.label, data.label ?? "");
  put(parts.notice, data.notice ?? "");
  parts.label.hidden = !data.label;
  parts.notice.hidden = !data.notice;
  drawMarks(parts, data);
  drawSaid(parts);
  drawBars(parts, data);
  drawCourse(parts, data);
  put(parts.sum, data.sum ?? "");
  put(parts.whose, data.whose ?? "");
  if (data.faces) tell(parts, data.label ? `${data.label}, face ${data.face}${data.sure ? "" : ", not sure"}` : "");
}
