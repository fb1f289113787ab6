// How each way is drawn, on the map and beside its pictures: a colour, and a dash for those who do not
// see it. The colours are in page.css, in light and in dark.
window.ways = {
  linear: { dash: [10, 5], colour: "--way-linear" },
  spherical: { dash: [2, 4], colour: "--way-spherical" },
  geodesic: { dash: [], colour: "--way-geodesic" },
  data: { dash: [12, 4, 2, 4], colour: "--way-data" },
};
