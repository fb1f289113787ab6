// How the path of each interpolation method is drawn, on the map and beside its images: a colour, and a
// dash for those who cannot see it. The colours are in page.css, in light and in dark.
window.pathStyles = {
  linear: { dash: [10, 5], colour: "--path-linear" },
  spherical: { dash: [2, 4], colour: "--path-spherical" },
  geodesic: { dash: [], colour: "--path-geodesic" },
  data: { dash: [12, 4, 2, 4], colour: "--path-data" },
};
// A method that has no style of its own is drawn like a plain line.
window.pathStyle = (method) => window.pathStyles[method] ?? { dash: [], colour: "--ink" };
