// The one current position z of this page. Whoever moves it calls `set` or `travel`; whoever shows
// it calls `subscribe`. Nothing else on the page keeps a position of its own.
window.latentSpace = (() => {
  const listeners = new Set();
  const reducedMotion = window.matchMedia("(prefers-reduced-motion: reduce)");
  let z = { x: 0, y: 0 };
  let journey = null; // the running animation: { stop }
  let nextGlide = 0; // ms that the next position from Python takes to reach
  let paths = [];

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

  return {
    range: 4, // the map shows -range ... range; LatentMap sets it from Python
    get z() {
      return z;
    },
    get travelling() {
      return journey !== null;
    },
    isAt(place) {
      return tidy(place.x) === z.x && tidy(place.y) === z.y;
    },
    set,
    travel,
    stop,
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
    get paths() {
      return paths;
    },
    // Each path: { points: [{x, y}], chosen, scattered }; drawn on the map.
    showPaths(next) {
      paths = next;
      announce("paths");
    },
  };
})();
