// What the page shows: the one current position z, the paths and layers of the map, and the choices
// of the controls. Whoever changes one calls a function here; whoever shows it subscribes. Nothing
// else on the page keeps a position of its own. The address after # holds all of it.
window.latentSpace = (() => {
  const listeners = new Set();
  const reducedMotion = window.matchMedia("(prefers-reduced-motion: reduce)");
  const LAYERS = { points: true, pictures: false, regions: false, rings: true, numerals: true };
  const oneOf = (...options) => (text) => (options.includes(text) ? text : null);
  const number = (low, high, step) => (text) => {
    const value = Math.round(+text / step) * step;
    return text !== "" && value >= low && value <= high ? +value.toFixed(2) : null;
  };
  const CHOICES = {
    digit: number(0, 9, 1),
    amount: number(0, 1, 0.05),
    from: number(0, 9, 1),
    to: number(0, 9, 1),
    way: oneOf("linear", "spherical"),
    pictures: number(5, 24, 1),
    anchor: oneOf("typical", "centroid"),
  };
  let z = { x: 0, y: 0 };
  let journey = null; // the running animation: { frame }
  let nextGlide = 0; // ms that the next position from Python takes to reach
  let paths = [];
  const choices = {}; // of the controls: name -> value
  const layers = { ...LAYERS };

  const limit = () => window.latentSpace.range;
  // 0.001 is a twelfth of a pixel of the map: what is shown as numbers is what is decoded.
  const tidy = (v) => Math.round(Math.min(limit(), Math.max(-limit(), v)) * 1000) / 1000;

  function announce(source) {
    for (const listener of listeners) listener(z, source);
  }

  function place(next, source) {
    const tidied = { x: tidy(next.x), y: tidy(next.y) };
    if (tidied.x === z.x && tidied.y === z.y) return;
    z = tidied;
    announce(source);
    writeSoon();
  }

  function stop() {
    if (journey) cancelAnimationFrame(journey.frame);
    journey = null;
  }

  // Moves at once and ends any journey: the person's hand goes before an animation.
  function set(next, source) {
    if (!Number.isFinite(next.x) || !Number.isFinite(next.y)) return;
    stop();
    place(next, source);
  }

  // Moves along `points` at constant speed in the latent space, in `ms` milliseconds.
  function travel(points, ms, source) {
    stop();
    const reach = [0];
    for (let i = 1; i < points.length; i++) {
      const step = Math.hypot(points[i].x - points[i - 1].x, points[i].y - points[i - 1].y);
      reach.push(reach[i - 1] + step);
    }
    const total = reach[reach.length - 1];
    const last = points[points.length - 1];
    if (!(ms > 0) || !(total > 0) || reducedMotion.matches) return place(last, source);
    const mine = { frame: 0 };
    journey = mine;
    let started = null;
    const tick = (now) => {
      if (journey !== mine) return;
      started ??= now;
      const gone = Math.min(1, (now - started) / ms) * total;
      if (gone >= total) {
        journey = null;
        place(last, source);
        return;
      }
      const i = Math.max(1, reach.findIndex((r) => r > gone));
      const t = (gone - reach[i - 1]) / (reach[i] - reach[i - 1] || 1);
      const [a, b] = [points[i - 1], points[i]];
      place({ x: a.x + t * (b.x - a.x), y: a.y + t * (b.y - a.y) }, source);
      mine.frame = requestAnimationFrame(tick);
    };
    mine.frame = requestAnimationFrame(tick);
  }

  // --- the address: #x=1.2&y=-0.3&view=0.5,0.5,2&layers=points,rings&digit=8... ---

  function link() {
    const parts = new URLSearchParams({ x: z.x, y: z.y });
    const view = window.latentSpace.view;
    if (view && view.zoom > 1) {
      parts.set("view", [view.centre.x, view.centre.y, view.half].map((v) => +v.toFixed(4)));
    }
    const shown = Object.keys(layers).filter((name) => layers[name]);
    const usual = Object.keys(LAYERS).filter((name) => LAYERS[name]);
    if (`${shown}` !== `${usual}`) parts.set("layers", shown);
    for (const [name, value] of Object.entries(choices)) parts.set(name, value);
    return `${location.href.split("#")[0]}#${parts}`.replaceAll("%2C", ",");
  }

  let writing = 0;
  function writeSoon() {
    clearTimeout(writing);
    // Browsers refuse more than some 100 changes of the address in 30 seconds.
    writing = setTimeout(() => history.replaceState(null, "", link()), 400);
  }

  const asked = new URLSearchParams(location.hash.slice(1));

  // The position, layers and view of the address; a part that is missing or wrong is left out.
  function restore() {
    const numbers = (text) => (text ?? "").split(",").map((part) => (part === "" ? NaN : +part));
    const [[x], [y]] = [numbers(asked.get("x")), numbers(asked.get("y"))];
    const [cx, cy, half] = numbers(asked.get("view"));
    const view = window.latentSpace.view;
    if ([cx, cy, half].every(Number.isFinite) && half > 0) {
      view.half = Math.min(view.range, Math.max(view.range / 64, half));
      view.moveBy(cx, cy);
    }
    set({ x, y }, "link");
  }
  if (asked.has("layers")) {
    const shown = asked.get("layers").split(",");
    for (const name of Object.keys(layers)) layers[name] = shown.includes(name);
  }

  return {
    range: 4, // the map shows -range ... range; LatentMap sets it from Python
    view: null, // the map's MapView
    layers,
    get z() {
      return z;
    },
    get travelling() {
      return journey !== null;
    },
    get paths() {
      return paths;
    },
    isAt(place) {
      return tidy(place.x) === z.x && tidy(place.y) === z.y;
    },
    set,
    travel,
    link,
    restore,
    // Python's next answer is reached in `ms` milliseconds instead of at once.
    glideNext(ms) {
      nextGlide = ms;
    },
    arrive(next) {
      const ms = nextGlide;
      nextGlide = 0;
      travel([z, next], ms, "python");
    },
    subscribe(listener) {
      listeners.add(listener);
      listener(z, "start");
    },
    // Each path: { points: [{x, y}], chosen, scattered }; drawn on the map.
    showPaths(next) {
      paths = next;
      announce("paths");
    },
    layersChanged() {
      announce("layers");
      writeSoon();
    },
    viewChanged: writeSoon,
    // The controls' values, in the order of CHOICES: those that the address asks for, if they are
    // possible, else those given.
    restoreChoices(usual) {
      return Object.entries(CHOICES).map(([name, read], i) => {
        const wanted = asked.has(name) ? read(asked.get(name)) : null;
        return wanted ?? usual[i];
      });
    },
    choose(values) {
      Object.keys(CHOICES).forEach((name, i) => (choices[name] = values[i]));
      writeSoon();
    },
  };
})();
