// What the page shows: the one current position z, the paths, places A and B and layers of the map,
// and the choices of the controls. Whoever changes one calls a function here; whoever shows it subscribes. Nothing
// else on the page keeps a position of its own. The address after # holds all of it.
window.latentSpace = (() => {
  const TOPICS = ["position", "paths", "layers", "marks", "known", "reading", "open"];
  const listeners = Object.fromEntries(TOPICS.map((topic) => [topic, new Set()]));
  const reducedMotion = window.matchMedia("(prefers-reduced-motion: reduce)");
  const LAYERS = {
    points: true,
    pictures: false,
    regions: false,
    sensitivity: false,
    gaps: false,
    trips: false,
    rings: true,
    numerals: true,
  };
  const WAYS = ["linear", "spherical", "geodesic", "data"];
  const oneOf = (...options) => (text) => (options.includes(text) ? text : null);
  const number = (low, high, step) => (text) => {
    const value = Math.round(+text / step) * step;
    return text !== "" && value >= low && value <= high ? +value.toFixed(2) : null;
  };
  const end = (flag) => (text) => oneOf("here", flag)(text) ?? number(0, window.latentSpace.classes - 1, 1)(text);
  const someOf = (...options) => (text) => {
    const chosen = options.filter((option) => text.split(",").includes(option));
    return chosen.length ? chosen : null;
  };
  const CHOICES = {
    digit: (text) => number(0, window.latentSpace.classes - 1, 1)(text),
    amount: number(0, 1, 0.05),
    from: end("A"),
    to: end("B"),
    ways: someOf(...WAYS),
    pictures: number(5, 24, 1),
    even: (text) => ({ true: true, false: false })[text] ?? null,
    anchor: oneOf("typical", "centroid"),
  };
  let z = { x: 0, y: 0 };
  let journey = null; // the running animation: { frame, goal }
  let moves = 0; // how often the person has gone somewhere
  let expected = { moves: 0, ms: 0 }; // when Python was last asked for a place; ms to go there
  let paths = [];
  let known = null; // { x, y, returns }: what Python said of the newest place it was asked about
  let reading = null; // what Python said of the newest picture, see reader.Reader; or { error }
  const marks = { A: null, B: null }; // places picked on the map
  let picking = null; // { flag, resolve }: the place that the next click on the map gives
  let picked = false; // whether the last picking gave both
  const choices = {}; // of the controls: name -> value
  const layers = { ...LAYERS };

  const limit = () => window.latentSpace.range;
  // 0.001 is a twelfth of a pixel of the map: what is shown as numbers is what is decoded.
  const tidy = (v) => Math.round(Math.min(limit(), Math.max(-limit(), v)) * 1000) / 1000;

  function announce(topic, source) {
    for (const listener of listeners[topic]) listener(z, source);
  }

  function place(next, source) {
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

  // Moves at once and ends any journey: the person's hand goes before an animation.
  function set(next, source) {
    if (!Number.isFinite(next.x) || !Number.isFinite(next.y)) return;
    stop();
    moves++;
    place(next, source);
  }

  // Moves along `points` in `ms` milliseconds, from each to the next in the same time.
  function travel(points, ms, source) {
    stop();
    if (source !== "python") moves++;
    const last = points[points.length - 1];
    const pieces = points.length - 1;
    if (!(ms > 0) || pieces < 1 || reducedMotion.matches) return place(last, source);
    const mine = { frame: 0, goal: { x: tidy(last.x), y: tidy(last.y) } };
    journey = mine;
    let started = null;
    const tick = (now) => {
      if (journey !== mine) return;
      started ??= now;
      const gone = ((now - started) / ms) * pieces;
      if (gone >= pieces) {
        journey = null;
        place(last, source);
        return;
      }
      const i = Math.floor(gone);
      const t = gone - i;
      const [a, b] = [points[i], points[i + 1]];
      place({ x: a.x + t * (b.x - a.x), y: a.y + t * (b.y - a.y) }, source);
      mine.frame = requestAnimationFrame(tick);
    };
    mine.frame = requestAnimationFrame(tick);
  }

  // --- places A and B ---

  // The next click on the map gives A, the one after it B; resolves to whether both came.
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

  // Asks Python for ways: shows that it works, and gives their ends as Python takes them, a digit or,
  // in the place of a name, a position.
  async function depart(...values) {
    if (values.some((value) => value in marks && !marks[value])) await pick();
    document.body.classList.add("finding-ways");
    const asPair = (place) => [place.x, place.y];
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
    const shown = Object.keys(layers).filter((name) => layers[name]);
    const usual = Object.keys(LAYERS).filter((name) => LAYERS[name]);
    if (`${shown}` !== `${usual}`) parts.set("layers", shown);
    for (const [flag, place] of Object.entries(marks)) {
      if (place) parts.set(flag, [place.x, place.y]);
    }
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
    for (const flag of Object.keys(marks)) {
      const [ax, ay] = numbers(asked.get(flag));
      if (Number.isFinite(ax) && Number.isFinite(ay)) marks[flag] = { x: tidy(ax), y: tidy(ay) };
    }
    set({ x, y }, "link");
  }
  if (asked.has("layers")) {
    const shown = asked.get("layers").split(",");
    for (const name of Object.keys(layers)) layers[name] = shown.includes(name);
  }

  return {
    classes: 10, // of the data set; LatentMap sets it from Python
    range: 4, // the map shows -range ... range; LatentMap sets it from Python
    view: null, // the map's MapView
    layers,
    get z() {
      return z;
    },
    // Where a running animation leads to, else the position.
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
    // Opens a test digit; `move` also goes to where it lands.
    open(index, move = false) {
      announce("open", { index, move });
    },
    // A name with its article: an Ankle boot, a Bag, a 7.
    article: (name) => `${/^[aeiou]/i.test(name) ? "an" : "a"} ${name}`,
    // What a server function answered; its refusals come as { error } and become an Error here.
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
      document.body.classList.remove("finding-ways");
    },
    // After the page has put A and B into the controls: presses the button that compares.
    afterPick(button) {
      if (picked) document.querySelector(button).click();
      picked = false;
    },
    choice: (name) => choices[name],
    isAt(place) {
      return tidy(place.x) === z.x && tidy(place.y) === z.y;
    },
    set,
    travel,
    link,
    restore,
    // A button asks Python for a place, to be reached in `ms` milliseconds.
    expect(ms = 0) {
      expected = { moves, ms };
    },
    // Goes where Python says, unless the person has gone elsewhere meanwhile; whether it did.
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
    // Each path: { curve: [{x, y}], points: [{x, y}] on it, way, label, scattered }.
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
