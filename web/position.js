// The state of the page: the one current position z, the paths, points A and B, the layers of the map
// and the values of the controls. Whoever changes one calls a function here; whoever shows it subscribes.
// Nothing else on the page keeps a position. The address after # holds all of it.
window.latentSpace = (() => {
  const TOPICS = ["position", "paths", "layers", "marks", "known", "reading", "open"];
  const listeners = Object.fromEntries(TOPICS.map((topic) => [topic, new Set()]));
  const reducedMotion = window.matchMedia("(prefers-reduced-motion: reduce)");

  // Readers of what the address holds for a control, by its kind (see app/controls.py): each gives the
  // value, or null if it is not possible.
  const READERS = {
    choice: ({ options }) => (text) => (options.includes(text) ? text : null),
    choices: ({ options }) => (text) => {
      const chosen = options.filter((option) => text.split(",").includes(option));
      return chosen.length ? chosen : null;
    },
    number: ({ low, high, step }) => (text) => {
      const value = Math.round(+text / step) * step;
      return text !== "" && value >= low && value <= high ? +value.toFixed(2) : null;
    },
    flag: () => (text) => ({ true: true, false: false })[text] ?? null,
    endpoint: ({ flag, last }) => (text) =>
      ["here", flag].includes(text) ? text : READERS.number({ low: 0, high: last, step: 1 })(text),
  };
  let z = { x: 0, y: 0 };
  let journey = null; // the running animation: { frame, goal }
  let moves = 0; // how often the user has moved the cursor
  let expected = { moves: 0, ms: 0 }; // when Python was last asked for a position; ms to move there
  let paths = [];
  let known = null; // { x, y, round_trip }: the answer for the newest position that Python was asked about
  let reading = null; // the posterior of the newest image, see explorer/inference.py; or { error }
  const marks = { A: null, B: null }; // points picked on the map
  let picking = null; // { flag, resolve }: the point that the next click on the map sets
  let picked = false; // whether the last picking set both
  let controls = []; // whose values the address keeps, in their order; see app/controls.py
  const values = {}; // of the controls: name -> value
  let layerRecords = []; // of the map, in their order; see explorer/map_layers.py
  const layers = {}; // key -> whether the layer is shown

  const limit = () => window.latentSpace.range;
  // 0.001 is a twelfth of a pixel of the map: what is shown as numbers is what is decoded.
  const tidy = (v) => Math.round(Math.min(limit(), Math.max(-limit(), v)) * 1000) / 1000;

  function announce(topic, source) {
    for (const listener of listeners[topic]) listener(z, source);
  }

  function moveTo(next, source) {
    const tidied = { x: tidy(next.x), y: tidy(next.y) };
    if (tidied.x === z.x && tidied.y === z.y) return;
    z = tidied;
    announce("position", source);
    writeSoon();
  }

  function stop() {
    if (journey) cancelAnimationFrame(journey.frame);
    journey = null;
  }

  // Moves at once and ends any animation: the user has priority.
  function set(next, source) {
    if (!Number.isFinite(next.x) || !Number.isFinite(next.y)) return;
    stop();
    moves++;
    moveTo(next, source);
  }

  // Moves along `points` in `ms` milliseconds, from each to the next in the same time.
  function travel(points, ms, source) {
    stop();
    if (source !== "python") moves++;
    const last = points[points.length - 1];
    const pieces = points.length - 1;
    if (!(ms > 0) || pieces < 1 || reducedMotion.matches) return moveTo(last, source);
    const mine = { frame: 0, goal: { x: tidy(last.x), y: tidy(last.y) } };
    journey = mine;
    let started = null;
    const tick = (now) => {
      if (journey !== mine) return;
      started ??= now;
      const gone = ((now - started) / ms) * pieces;
      if (gone >= pieces) {
        journey = null;
        moveTo(last, source);
        return;
      }
      const i = Math.floor(gone);
      const t = gone - i;
      const [a, b] = [points[i], points[i + 1]];
      moveTo({ x: a.x + t * (b.x - a.x), y: a.y + t * (b.y - a.y) }, source);
      mine.frame = requestAnimationFrame(tick);
    };
    mine.frame = requestAnimationFrame(tick);
  }

  // --- points A and B ---

  // The next click on the map sets A, the one after it B; resolves to whether both were set.
  function pick() {
    cancelPick();
    picked = false;
    const { promise, resolve } = Promise.withResolvers();
    picking = { flag: "A", resolve };
    announce("marks");
    return promise;
  }

  function mark(next) {
    marks[picking.flag] = { x: tidy(next.x), y: tidy(next.y) };
    if (picking.flag === "A") {
      picking.flag = "B";
    } else {
      picked = true;
      picking.resolve(true);
      picking = null;
      writeSoon();
    }
    announce("marks");
  }

  function cancelPick() {
    picking?.resolve(false);
    picking = null;
    announce("marks");
  }

  // Before Python is asked for paths: shows that it works, and returns their ends as Python takes them,
  // a label or, in place of a name, a position.
  async function depart(...values) {
    if (values.some((value) => value in marks && !marks[value])) await pick();
    document.body.classList.add("finding-paths");
    const asPair = (point) => [point.x, point.y];
    return values.map((value) => {
      if (value === "here") return asPair(z);
      return marks[value] ? asPair(marks[value]) : value;
    });
  }

  // --- the address: #x=1.2&y=-0.3&view=0.5,0.5,2&layers=points,rings&digit=8... ---

  function link() {
    const parts = new URLSearchParams({ x: z.x, y: z.y });
    const view = window.latentSpace.view;
    if (view && view.zoom > 1) {
      parts.set("view", [view.centre.x, view.centre.y, view.half].map((v) => +v.toFixed(4)));
    }
    const shown = layerRecords.filter(({ key }) => layers[key]).map(({ key }) => key);
    const usual = layerRecords.filter((layer) => layer.default).map(({ key }) => key);
    if (`${shown}` !== `${usual}`) parts.set("layers", shown);
    for (const [flag, point] of Object.entries(marks)) {
      if (point) parts.set(flag, [point.x, point.y]);
    }
    for (const [name, value] of Object.entries(values)) parts.set(name, value);
    return `${location.href.split("#")[0]}#${parts}`.replaceAll("%2C", ",");
  }

  let writing = 0;
  function writeSoon() {
    clearTimeout(writing);
    // Browsers refuse more than some 100 changes of the address in 30 seconds.
    writing = setTimeout(() => history.replaceState(null, "", link()), 400);
  }

  const asked = new URLSearchParams(location.hash.slice(1));

  // What the address holds of a control or layer under its name or an older one; null if nothing.
  const fromAddress = ({ name, aliases }) =>
    [name, ...aliases].map((one) => asked.get(one)).find((text) => text !== null) ?? null;

  // What the map can show: its range, classes and layers, which the address switches on and off.
  function declare({ range, classes, view, layers: records }) {
    Object.assign(window.latentSpace, { range, classes, view });
    layerRecords = records;
    const shown = asked.get("layers")?.split(",");
    for (const { key, aliases, default: usual } of records) {
      layers[key] = shown ? [key, ...aliases].some((one) => shown.includes(one)) : usual;
    }
  }

  // The position and view of the address; a part that is missing or wrong is left out.
  function restore() {
    const numbers = (text) => (text ?? "").split(",").map((part) => (part === "" ? NaN : +part));
    const [[x], [y]] = [numbers(asked.get("x")), numbers(asked.get("y"))];
    const [cx, cy, half] = numbers(asked.get("view"));
    const view = window.latentSpace.view;
    if ([cx, cy, half].every(Number.isFinite) && half > 0) {
      view.half = Math.min(view.range, Math.max(view.range / 64, half));
      view.moveBy(cx, cy);
    }
    for (const flag of Object.keys(marks)) {
      const [ax, ay] = numbers(asked.get(flag));
      if (Number.isFinite(ax) && Number.isFinite(ay)) marks[flag] = { x: tidy(ax), y: tidy(ay) };
    }
    set({ x, y }, "link");
  }

  return {
    classes: 10, // of the data set
    range: 4, // the map shows -range ... range
    view: null, // the map's MapView
    declare,
    layers,
    get z() {
      return z;
    },
    // Where a running animation ends, else the position.
    get goal() {
      return journey?.goal ?? z;
    },
    get travelling() {
      return journey !== null;
    },
    get paths() {
      return paths;
    },
    get known() {
      return known;
    },
    tell(answer) {
      known = answer;
      announce("known");
    },
    get reading() {
      return reading;
    },
    showReading(next) {
      reading = next;
      announce("reading");
    },
    // Opens a test image; `move` also moves the cursor to where it lands.
    open(index, move = false) {
      announce("open", { index, move });
    },
    // A name with its article: an Ankle boot, a Bag, a 7.
    article: (name) => `${/^[aeiou8]/i.test(name) ? "an" : "a"} ${name}`,
    // The answer of a server function; its { error } becomes an Error here.
    async answer(asked) {
      const answer = await asked;
      if (answer?.error) throw new Error(answer.error, { cause: "refused" });
      return answer;
    },
    get picking() {
      return picking?.flag ?? null;
    },
    marks,
    pick,
    mark,
    cancelPick,
    depart,
    arrived() {
      document.body.classList.remove("finding-paths");
    },
    // After A and B have been put into the controls: presses the button that compares.
    afterPick(button) {
      if (picked) document.querySelector(button).click();
      picked = false;
    },
    choice: (name) => values[name],
    isAt(point) {
      return tidy(point.x) === z.x && tidy(point.y) === z.y;
    },
    set,
    travel,
    link,
    restore,
    // A button asks Python for a position, to be reached in `ms` milliseconds.
    expect(ms = 0) {
      expected = { moves, ms };
    },
    // Moves to the position from Python, unless the user has moved meanwhile; whether it did.
    arrive(next) {
      const timely = moves === expected.moves;
      if (timely) travel([z, next], expected.ms, "python");
      return timely;
    },
    // listener(z, source): after every move, and once now; or after changes of another topic.
    subscribe(listener, topic = "position") {
      listeners[topic].add(listener);
      if (topic === "position") listener(z, "start");
    },
    // Each path: { curve: [{x, y}], points: [{x, y}] on it, method, label, scattered }.
    showPaths(next) {
      paths = next;
      announce("paths");
    },
    layersChanged() {
      announce("layers");
      writeSoon();
    },
    viewChanged: writeSoon,
    // The values of the controls, in their order: those of the address where they are possible, else
    // those given.
    restoreControls(declared, usual) {
      controls = declared;
      return controls.map((control, i) => {
        const text = fromAddress(control);
        return (text === null ? null : READERS[control.kind](control)(text)) ?? usual[i];
      });
    },
    setControls(next) {
      controls.forEach(({ name }, i) => (values[name] = next[i]));
      writeSoon();
    },
  };
})();
