// Tiles that are pressed to choose one of them: of pictures, or of the faces of a picture, which then stands above them,
// each face under a button of its own. Elements are kept from one drawing to the next, so that the focus stays.

const grown = (parent, count, make) => {
  while (parent.children.length > count) parent.lastElementChild.remove();
  while (parent.children.length < count) parent.append(make());
  return [...parent.children];
};

const element = (name, className) => Object.assign(document.createElement(name), { className });

const tile = () => {
  const button = element("button", "tile");
  button.type = "button";
  const image = element("img", "");
  image.alt = "";
  button.append(image, element("strong", ""), element("small", ""));
  return button;
};

const place = () => Object.assign(element("button", "place"), { type: "button" });

export default function ({ parentElement, data, setTriggerValue }) {
  const [root] = grown(parentElement.querySelector(".choosing"), 1, () => {
    const made = element("div", "");
    const status = element("p", "status");
    status.setAttribute("role", "status");
    const picture = element("div", "picture");
    picture.append(element("div", ""), element("div", ""));
    made.append(picture, element("div", "tiles"), status);
    return made;
  });
  const [picture, tiles, status] = root.children;

  let chosen = data.chosen;
  const buttons = [];
  const mark = () => buttons.forEach((all) => all.forEach((button, number) => {
    button.setAttribute("aria-pressed", String(number === chosen));
  }));
  const choose = (number) => {
    if (number === chosen) return;
    chosen = number;
    mark();
    setTriggerValue("chosen", number);
  };
  const ready = (all) => {
    all.forEach((button, number) => { button.onclick = () => choose(number); });
    buttons.push(all);
  };

  picture.hidden = !data.picture;
  if (data.picture) {
    const { source, alt, width, height, places } = data.picture;
    const [image] = grown(picture.firstElementChild, 1, () => element("img", ""));
    if (image.src !== source) image.src = source;
    image.alt = alt;
    // As large as there is room for, and not so large that it goes blurred.
    picture.style.width = `min(100%, ${Math.max(320, 2 * width)}px, calc(70vh * ${width / height}))`;
    picture.style.aspectRatio = `${width} / ${height}`;
    const all = grown(picture.lastElementChild, places.length, place);
    all.forEach((button, number) => {
      const [left, top, wide, high] = places[number];
      Object.assign(button.style, {
        left: `${100 * left}%`, top: `${100 * top}%`, width: `${100 * wide}%`, height: `${100 * high}%`,
        zIndex: 1 + Math.round(1e4 * (1 - Math.min(1, wide * high))),  // a small face before a large one can be reached
      });
      button.setAttribute("aria-label", data.tiles[number].told);
      button.title = data.tiles[number].told;
    });
    ready(all);
  }

  tiles.setAttribute("role", "group");
  tiles.setAttribute("aria-label", data.label);
  tiles.hidden = !data.tiles.length;
  tiles.classList.toggle("faces", Boolean(data.picture));
  const all = grown(tiles, data.tiles.length, tile);
  all.forEach((button, number) => {
    const { source, said, name, told } = data.tiles[number];
    const [image, strong, small] = button.children;
    if (image.src !== source) image.src = source;
    strong.textContent = said;
    small.textContent = name;
    button.setAttribute("aria-label", told);
    button.title = told;
  });
  ready(all);
  mark();
  if (status.textContent !== data.status) status.textContent = data.status;
}
