/** Turns the plane of the map; whatever is shown stays where it is in the space. */

/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("../core/plane.js").Spec} Spec */
/** @typedef {import("../core/view.js").Position} Position */

/**
 * Shows another plane: the cursor, A, B and the paths become their projections on it.
 *
 * @param {import("../core/state.js").PageState} state
 * @param {import("../core/plane.js").Shape} record @param {Spec} spec
 */
export function turn(state, record, spec) {
  const { plane } = state;
  const keep = (/** @type {Position} */ position) => {
    const z = plane.coordinates(position);
    return () => plane.position(z);
  };
  const z = keep(state.z);
  const marks = Object.entries(state.marks).map(([flag, point]) => ({
    flag,
    point: point && keep(point),
  }));
  const paths = state.paths.map((path) => ({
    ...path,
    curve: path.curve.map(keep),
    points: path.points.map(keep),
  }));
  plane.turn(record, spec);
  for (const { flag, point } of marks) state.marks[flag] = point ? point() : null;
  state.showPaths(
    paths.map((path) => ({
      ...path,
      curve: path.curve.map((at) => at()),
      points: path.points.map((at) => at()),
    })),
  );
  state.set(z(), "plane");
  state.planeChanged();
  state.viewChanged();
}

let asked = 0;

/**
 * Asks Python for a plane and shows it, unless another one was asked for meanwhile.
 *
 * @param {Page} page @param {Spec} spec
 * @throws {import("../core/server.js").ServerError} with a sentence to show
 */
export async function turnTo({ props, server, state }, spec) {
  const mine = ++asked;
  if (spec.kind === "principal") {
    if (state.plane.spec.kind !== "principal") turn(state, props.plane, spec);
    return;
  }
  const record = await server.ask("plane", spec);
  if (mine === asked) turn(state, record, spec);
}
